// Q5_0: 32 weights share one half-precision scale; 5.5 bits per weight.
//   w[i] = d * (q[i] - 16),  q in 0..31: nibbles as in Q4_0, the fifth bit of weight i is bit i of qh.
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
    const uint32_t high = b.qh[0] | b.qh[1] << 8 | b.qh[2] << 16 | static_cast<uint32_t>(b.qh[3]) << 24;
    for (int i = 0; i < 16; ++i) {
      q[i] = static_cast<uint8_t>((b.qs[i] & 15) | (high >> i & 1) << 4);
      q[16 + i] = static_cast<uint8_t>(b.qs[i] >> 4 | (high >> (16 + i) & 1) << 4);
    }
  }
};

}  // namespace

extern const Kernels q5_0_kernels;
constinit const Kernels q5_0_kernels = Block32<Q5_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
