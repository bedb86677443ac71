// IQ4_NL: 32 weights share one half-precision scale; 4.5 bits per weight.
//   w[i] = d * T[nibble], T a table of 16 uneven steps; the codes are T + 128. Nibbles as in Q4_0.
#include "quant/kernels/block32.h"
#include "quant/kernels/non_linear.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ4_NL {
  static constexpr Format format{"iq4_nl", 20, 32, 18, 0, ActivationKind::kQ8x32};
  static constexpr int kMaxCode = 241, kOffsetShift = 7;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[16];
  };

  static float scale(const Block& b) { return to_float(b.d); }
  static void codes(const Block& b, uint8_t* q) {
    for (int i = 0; i < 16; ++i) {
      q[i] = kNonLinear[b.qs[i] & 15];
      q[16 + i] = kNonLinear[b.qs[i] >> 4];
    }
  }

  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, typename S::Bytes (&q)[8]) {
    const auto table = S::table16(kNonLinear);
    typename S::Bytes t[4];
    S::transpose(rows, at + offsetof(Block, qs), t);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      q[k] = S::lookup(table, S::template bits<0, 15>(t[k]));
      q[4 + k] = S::lookup(table, S::template bits<4, 15>(t[k]));
    }
  }
  template <class S>
  static void unpack_four(const typename S::template Four<sizeof(Block)>& blocks,
                          typename S::Bytes& lo, typename S::Bytes& hi) {
    const auto table = S::table16(kNonLinear);
    const auto qs = blocks.template field16<offsetof(Block, qs)>();
    lo = S::lookup(table, S::template bits<0, 15>(qs));
    hi = S::lookup(table, S::template bits<4, 15>(qs));
  }
  template <class S>
  static typename S::Factors factors_of_four(
      const typename S::template Four<sizeof(Block)>& blocks) {
    return blocks.template halves<offsetof(Block, d)>();
  }
};

}  // namespace

extern const Kernels iq4_nl_kernels;
constinit const Kernels iq4_nl_kernels = Block32<IQ4_NL>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
