// What stands before the codes of Q4_K and Q5_K: two factors, eight 6-bit scales and minima.
#pragma once

#include <cstdint>
#include <cstring>

#include "quant/kernels/half_factors.h"

namespace nibble::quant::NIBBLE_ISA {

// L: their layout.
template <class L>
struct Scales6 : HalfFactors<L> {
  using typename L::Block;

  static void groups(const Block& b, int8_t* scale, int8_t* min) {
    uint32_t low, middle, high;  // four bytes at a time; little-endian
    std::memcpy(&low, b.scales, 4);
    std::memcpy(&middle, b.scales + 4, 4);
    std::memcpy(&high, b.scales + 8, 4);
    constexpr uint32_t kSix = 0x3f3f3f3f, kFour = 0x0f0f0f0f, kTop = 0x30303030;
    const uint64_t scales = (low & kSix) | uint64_t{(high & kFour) | (low >> 2 & kTop)} << 32;
    const uint64_t mins = (middle & kSix) | uint64_t{(high >> 4 & kFour) | (middle >> 2 & kTop)}
                                                << 32;
    std::memcpy(scale, &scales, 8);
    std::memcpy(min, &mins, 8);
  }
  template <class S>
  static void heads_of_rows(typename S::Rows rows, size_t at, typename S::Bytes (&scale)[4],
                            typename S::Bytes (&min)[4], typename S::Floats& d,
                            typename S::Floats& dmin) {
    static_assert(offsetof(Block, d) == 0 && offsetof(Block, dmin) == 2 &&
                  offsetof(Block, scales) == 4);
    typename S::Bytes t[4];
    S::transpose(rows, at, t);
    d = S::template dword_halves<0>(t[0]);
    dmin = S::template dword_halves<1>(t[0]);
    scale[0] = S::template bits<0, 63>(t[1]);
    min[0] = S::template bits<0, 63>(t[2]);
    scale[1] = S::join(S::template bits<0, 15>(t[3]), S::template bits<2, 48>(t[1]));
    min[1] = S::join(S::template bits<4, 15>(t[3]), S::template bits<2, 48>(t[2]));
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
