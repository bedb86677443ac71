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
};

}  // namespace

extern const Kernels q4_0_kernels;
constinit const Kernels q4_0_kernels = Block32<Q4_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
