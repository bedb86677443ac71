// Q8_0 (quant/layouts/blocks32.h): the codes are q + 128.
#include "quant/kernels/block32.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q8_0 : HalfFactors<layout::Q8_0> {
  static constexpr int kMaxCode = 255, kOffsetShift = 7;
  static void codes(const Block& b, uint8_t* q) {
    for (int i = 0; i < 32; ++i) q[i] = static_cast<uint8_t>(b.qs[i] + 128);
  }

  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, typename S::Bytes (&q)[8]) {
    typename S::Bytes first[4], second[4];
    S::transpose(rows, at + offsetof(Block, qs), first);
    S::transpose(rows, at + offsetof(Block, qs) + 16, second);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      q[k] = S::flip(first[k], 128);
      q[4 + k] = S::flip(second[k], 128);
    }
  }
  template <class S>
  static void unpack_four(const typename S::template Four<sizeof(Block)>& blocks,
                          typename S::Bytes& lo, typename S::Bytes& hi) {
    blocks.template field32<offsetof(Block, qs)>(lo, hi);
    lo = S::flip(lo, 128);
    hi = S::flip(hi, 128);
  }
  template <class S>
  static typename S::Factors factors_of_four(
      const typename S::template Four<sizeof(Block)>& blocks) {
    return blocks.template halves<offsetof(Block, d)>();
  }
};

}  // namespace

extern const Kernels q8_0_kernels;
constinit const Kernels q8_0_kernels = Block32<Q8_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
