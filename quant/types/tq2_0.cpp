// TQ2_0: 256 weights -d, 0 or d as two bits; 2.0625 bits per weight.   w = d * (q - 1).
// Each half of 128 uses qs[32 h ..]; bits 2j and 2j + 1 of byte i are weight i of its run j.
#include "quant/kernels/block256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct TQ2_0 {
  static constexpr Format format{"tq2_0", 35, 256, 66, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 3, kOffsetShift = 0, kGroup = 32;
  static constexpr bool kHasMin = false, kOneScale = true;
  struct Block {
    uint8_t qs[64];
    Half d;
  };

  static float scale(const Block& b) { return to_float(b.d); }
  static void groups(const Block&, int8_t* scale, int8_t*) {
    for (int g = 0; g < 8; ++g) scale[g] = 1;
  }
  static void codes(const Block& b, uint8_t* q) {
    for (int h = 0; h < 2; ++h)
      for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 32; ++i) q[128 * h + 32 * j + i] = b.qs[32 * h + i] >> 2 * j & 3;
  }
};

}  // namespace

extern const Kernels tq2_0_kernels;
constinit const Kernels tq2_0_kernels = Block256<TQ2_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
