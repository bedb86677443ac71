// IQ3_XXS: 256 weights in 8 groups of 32; 3.0625 bits per weight.
//   w = d / 4 * (2 s + 1) * sign * grid.  A group has eight grid indices of 8 bits for 4 weights
// each in qs and 32 bits in signs: four times 7 signs (the eighth makes their number even) and the
// scale s in the upper four.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ3_XXS {
  static constexpr Format format{"iq3_xxs", 18, 256, 98, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 126, kOffsetShift = 6, kGroup = 32;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[64];
    uint8_t signs[32];
  };

  static constexpr float kUnit = 0.25f;
  static float scale(const Block& b) { return to_float(b.d) * kUnit; }
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    for (int g = 0; g < 8; ++g) scale[g] = static_cast<int8_t>(b.signs[4 * g + 3] >> 4 << 1 | 1);
  }
  static void codes(const Block& b, uint8_t* q) {
    for (int g = 0; g < 8; ++g) {
      const uint32_t signs = load_u32(b.signs + 4 * g);
      for (int i = 0; i < 4; ++i, q += 8) {
        const uint8_t* at = b.qs + 8 * g + 2 * i;
        const uint64_t eight = kIq3xxsGrid.at[at[0]] | uint64_t{kIq3xxsGrid.at[at[1]]} << 32;
        store_codes(q, negate_codes<6>(eight, kEvenMasks.at[signs >> 7 * i & 127]));
      }
    }
  }
};

}  // namespace

extern const Kernels iq3_xxs_kernels;
constinit const Kernels iq3_xxs_kernels = Block256<IQ3_XXS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
