// Q4_0: 32 weights share one half-precision scale; 4.5 bits per weight.
//   w[i] = d * (q[i] - 8),  q in 0..15. Low nibbles are weights 0..15, high nibbles 16..31.
#include "quant/kernels/block32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_0 {
  static constexpr Format format{"q4_0", 2, 32, 18, 0, ActivationKind::kQ8x32};
  static constexpr int kMaxCode = 15, kOffsetShift = 3;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[16];
  };

  static float scale(const Block& b) { return to_float(b.d); }
  static void codes(const Block& b, uint8_t* q) {
    for (int i = 0; i < 16; ++i) {
      q[i] = b.qs[i] & 15;
      q[16 + i] = b.qs[i] >> 4;
    }
  }

  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, typename S::Bytes (&q)[8]) {
    typename S::Bytes t[4];
    S::transpose(rows, at + offsetof(Block, qs), t);
    q[0] = S::template bits<0, 15>(t[0]);
    q[1] = S::template bits<0, 15>(t[1]);
    q[2] = S::template bits<0, 15>(t[2]);
    q[3] = S::template bits<0, 15>(t[3]);
    q[4] = S::template bits<4, 15>(t[0]);
    q[5] = S::template bits<4, 15>(t[1]);
    q[6] = S::template bits<4, 15>(t[2]);
    q[7] = S::template bits<4, 15>(t[3]);
  }
  template <class S>
  static void unpack_four(const typename S::template Four<sizeof(Block)>& blocks,
                          typename S::Bytes& lo, typename S::Bytes& hi) {
    const auto qs = blocks.template field16<offsetof(Block, qs)>();
    lo = S::template bits<0, 15>(qs);
    hi = S::template bits<4, 15>(qs);
  }
  template <class S>
  static typename S::Factors factors_of_four(
      const typename S::template Four<sizeof(Block)>& blocks) {
    return blocks.template halves<offsetof(Block, d)>();
  }
};

}  // namespace

extern const Kernels q4_0_kernels;
constinit const Kernels q4_0_kernels = Block32<Q4_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
