// Q4_K: 256 weights in 8 groups of 32, whose 6-bit scales and minima share two half-precision factors; 4.5 bits per
// weight.   w = d * scale[g] * q - dmin * min[g],  q in 0..15.
// Chunk c of 64 weights uses qs[32 c ..]: low nibbles are group 2c, high nibbles group 2c + 1.
#include "quant/kernels/block256.h"
#include "quant/kernels/scales6.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_K {
  static constexpr Format format{"q4_k", 12, 256, 144, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 15, kOffsetShift = -1, kGroup = 32;
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, dmin;
    uint8_t scales[12];
    uint8_t qs[128];
  };

  static float scale(const Block& b) { return to_float(b.d); }
  static float dmin(const Block& b) { return to_float(b.dmin); }
  static void groups(const Block& b, int8_t* scale, int8_t* min) { unpack_scales6(b.scales, scale, min); }
  static void codes(const Block& b, uint8_t* q) {
    for (int c = 0; c < 4; ++c)
      for (int i = 0; i < 32; ++i) {
        q[64 * c + i] = b.qs[32 * c + i] & 15;
        q[64 * c + 32 + i] = b.qs[32 * c + i] >> 4;
      }
  }
};

}  // namespace

extern const Kernels q4_k_kernels;
constinit const Kernels q4_k_kernels = Block256<Q4_K>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
