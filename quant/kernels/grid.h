// What the i-quants share: codes from a grid of eight (or twice four) weights with signs put to
// them. The format F says
//   eight(block, i)    codes of weights 8 i .. 8 i + 7, where all signs are plus
//   signs(block, g, h) where it has signs: bit i for weight i of run g of 32, bit 32 + i of run h
#pragma once

#include <cstdint>
#include <cstring>

#include "quant/codebooks.h"
#include "quant/kernels/bytes8.h"

namespace nibble::quant::NIBBLE_ISA {

inline uint64_t load_two_u32(const uint8_t* low, const uint8_t* high) {
  return load_u32(low) | uint64_t{load_u32(high)} << 32;
}

// Signs of eight weights each from four times seven bits in both halves of x: the eighth sign makes
// their number even.
inline uint64_t even_signs(uint64_t x) {
  constexpr uint64_t k = 0x0000007f0000007f;
  x = (x & k) | (x << 1 & k << 8) | (x << 2 & k << 16) | (x << 3 & k << 24);
  uint64_t odd = x ^ x >> 4;
  odd ^= odd >> 2;
  odd ^= odd >> 1;
  return x | (odd & kOnes8) << 7;
}

template <class F>
struct GridCodes {
  template <class Block>
  static void codes(const Block& block, uint8_t* q) {
    for (int i = 0; i < 32; ++i) {
      store_bytes8(q + 8 * i, F::eight(block, i));
      if constexpr (requires { F::signs(block, 0, 0); }) {
        const uint64_t signs = F::signs(block, i / 4, i / 4) >> 8 * (i % 4);
        for (int j = 8 * i; j < 8 * i + 8; ++j)
          if (signs >> j % 8 & 1) q[j] = static_cast<uint8_t>((2 << F::kOffsetShift) - q[j]);
      }
    }
  }

  // Runs g and h of 32.
  template <class S, class Block>
  static typename S::Bytes two_runs(const Block& block, int g, int h) {
    const auto q =
        S::eights(F::eight(block, 4 * g), F::eight(block, 4 * g + 1), F::eight(block, 4 * g + 2),
                  F::eight(block, 4 * g + 3), F::eight(block, 4 * h), F::eight(block, 4 * h + 1),
                  F::eight(block, 4 * h + 2), F::eight(block, 4 * h + 3));
    if constexpr (requires { F::signs(block, 0, 0); })
      return S::template take_from_where<(2 << F::kOffsetShift)>(q, F::signs(block, g, h));
    else
      return q;
  }
  template <class S, class Block>
  static void unpack_row(const Block& block, typename S::Bytes (&q)[4]) {
    q[0] = two_runs<S>(block, 0, 2);
    q[1] = two_runs<S>(block, 1, 3);
    q[2] = two_runs<S>(block, 4, 6);
    q[3] = two_runs<S>(block, 5, 7);
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
