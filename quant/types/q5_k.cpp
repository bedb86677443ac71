// Q5_K: Q4_K with a fifth bit for each weight; 5.5 bits per weight.
//   w = d * scale[g] * q - dmin * min[g],  q in 0..31. The fifth bit of weight l of group g is bit g of qh[l].
#include "quant/kernels/block256.h"
#include "quant/kernels/scales6.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_K {
  static constexpr Format format{"q5_k", 13, 256, 176, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 31, kOffsetShift = -1, kGroup = 32;
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, dmin;
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
  };

  static float scale(const Block& b) { return to_float(b.d); }
  static float dmin(const Block& b) { return to_float(b.dmin); }
  static void groups(const Block& b, int8_t* scale, int8_t* min) { unpack_scales6(b.scales, scale, min); }
  static void codes(const Block& b, uint8_t* q) {
    for (int c = 0; c < 4; ++c)
      for (int i = 0; i < 32; ++i) {
        const int high = b.qh[i] >> (2 * c);
        q[64 * c + i] = static_cast<uint8_t>((b.qs[32 * c + i] & 15) | (high & 1) << 4);
        q[64 * c + 32 + i] = static_cast<uint8_t>(b.qs[32 * c + i] >> 4 | (high & 2) << 3);
      }
  }
};

}  // namespace

extern const Kernels q5_k_kernels;
constinit const Kernels q5_k_kernels = Block256<Q5_K>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
