// Q5_0: 32 weights share one half-precision scale; 5.5 bits per weight.
//   w[i] = d * (q[i] - 16),  q in 0..31: nibbles as in Q4_0, the fifth bit of weight i is bit i of
//   qh.
#include "quant/kernels/block32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_0 {
  static constexpr Format format{"q5_0", 6, 32, 22, 0, ActivationKind::kQ8x32};
  static constexpr int kMaxCode = 31, kOffsetShift = 4;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qh[4], qs[16];
  };

  static float scale(const Block& b) { return to_float(b.d); }
  static void codes(const Block& b, uint8_t* q) {
    const uint32_t high =
        b.qh[0] | b.qh[1] << 8 | b.qh[2] << 16 | static_cast<uint32_t>(b.qh[3]) << 24;
    for (int i = 0; i < 16; ++i) {
      q[i] = static_cast<uint8_t>((b.qs[i] & 15) | (high >> i & 1) << 4);
      q[16 + i] = static_cast<uint8_t>(b.qs[i] >> 4 | (high >> (16 + i) & 1) << 4);
    }
  }

  template <class S>
  static void unpack_rows(typename S::Rows rows, size_t at, typename S::Bytes (&q)[8]) {
    typename S::Bytes t[4];
    S::transpose(rows, at + offsetof(Block, qs), t);
    const auto high = S::dwords(rows, at + offsetof(Block, qh));
    q[0] = S::template add_row_bits<0>(S::template bits<0, 15>(t[0]), high, 16);
    q[1] = S::template add_row_bits<1>(S::template bits<0, 15>(t[1]), high, 16);
    q[2] = S::template add_row_bits<2>(S::template bits<0, 15>(t[2]), high, 16);
    q[3] = S::template add_row_bits<3>(S::template bits<0, 15>(t[3]), high, 16);
    q[4] = S::template add_row_bits<4>(S::template bits<4, 15>(t[0]), high, 16);
    q[5] = S::template add_row_bits<5>(S::template bits<4, 15>(t[1]), high, 16);
    q[6] = S::template add_row_bits<6>(S::template bits<4, 15>(t[2]), high, 16);
    q[7] = S::template add_row_bits<7>(S::template bits<4, 15>(t[3]), high, 16);
  }
  template <class S>
  static void unpack_four(const typename S::template Four<sizeof(Block)>& blocks,
                          typename S::Bytes& lo, typename S::Bytes& hi) {
    const auto qs = blocks.template field16<offsetof(Block, qs)>();
    lo = S::template bits<0, 15>(qs);
    hi = S::template bits<4, 15>(qs);
    blocks.template add_fifth_bits<offsetof(Block, qh)>(lo, hi);
  }
  template <class S>
  static typename S::Factors factors_of_four(
      const typename S::template Four<sizeof(Block)>& blocks) {
    return blocks.template halves<offsetof(Block, d)>();
  }
};

}  // namespace

extern const Kernels q5_0_kernels;
constinit const Kernels q5_0_kernels = Block32<Q5_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
