// IQ3_XXS: 256 weights in 8 groups of 32; 3.0625 bits per weight.
//   w = d / 4 * (2 s + 1) * sign * grid.  A group has eight grid indices of 8 bits for 4 weights
// each in qs and 32 bits in signs: four times 7 signs (the eighth makes their number even) and the
// scale s in the upper four.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ3_XXS : GridCodes<IQ3_XXS> {
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
    uint64_t s = 0;
    for (int g = 0; g < 8; ++g) s |= uint64_t{b.signs[4 * g + 3]} >> 4 << 8 * g;
    store_bytes8(scale, odd8(s));
  }
  static uint64_t eight(const Block& b, int i) {
    return kIq3xxsGrid.at[b.qs[2 * i]] | uint64_t{kIq3xxsGrid.at[b.qs[2 * i + 1]]} << 32;
  }
  static uint64_t signs(const Block& b, int g, int h) {
    return even_signs(load_two_u32(b.signs + 4 * g, b.signs + 4 * h));
  }
};

}  // namespace

extern const Kernels iq3_xxs_kernels;
constinit const Kernels iq3_xxs_kernels = Block256<IQ3_XXS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
