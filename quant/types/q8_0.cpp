// Q8_0: 32 weights share one half-precision scale; 8.5 bits per weight.
//   w[i] = d * q[i],  q in -128..127, kept as q + 128 while multiplying.
#include "quant/kernels/block32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q8_0 {
  static constexpr Format format{"q8_0", 8, 32, 34, 0, ActivationKind::kQ8x32};
  static constexpr int kMaxCode = 255, kOffsetShift = 7;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    int8_t qs[32];
  };

  static float scale(const Block& b) { return to_float(b.d); }
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
