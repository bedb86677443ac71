// IQ2_XXS: 256 weights in 8 groups of 32; 2.0625 bits per weight.
//   w = d / 8 * (2 s + 1) * sign * grid.  A group has four grid indices of 8 bits, then 32 bits:
// four times 7 signs (the eighth makes their number even) and the scale s in the upper four.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_XXS : GridCodes<IQ2_XXS> {
  static constexpr Format format{"iq2_xxs", 16, 256, 66, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 107, kOffsetShift = 6, kGroup = 32;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[64];
  };

  static constexpr float kUnit = 0.125f;
  static float scale(const Block& b) { return to_float(b.d) * kUnit; }
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    uint64_t s = 0;
    for (int g = 0; g < 8; ++g) s |= uint64_t{b.qs[8 * g + 7]} >> 4 << 8 * g;
    store_bytes8(scale, odd8(s));
  }
  static uint64_t eight(const Block& b, int i) { return kIq2xxsGrid.at[b.qs[8 * (i / 4) + i % 4]]; }
  static uint64_t signs(const Block& b, int g, int h) {
    return even_signs(load_two_u32(b.qs + 8 * g + 4, b.qs + 8 * h + 4));
  }
};

}  // namespace

extern const Kernels iq2_xxs_kernels;
constinit const Kernels iq2_xxs_kernels = Block256<IQ2_XXS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
