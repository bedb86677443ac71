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
    store_odds(scale, load_vector<Fours8>(b.signs) >> 28);
  }
  static constexpr bool kHasSigns = true;
  static constexpr const auto& kGrid = kIq3xxsGrid;
  static unsigned index(const Block& b, int i) { return b.qs[i]; }
  static void store_octets(const Block& b, uint8_t* octets) {
    const auto signs = even_signs_of_28(load_vector<Eights4>(b.signs));
    std::memcpy(octets, &signs, 32);
  }
};

}  // namespace

extern const Kernels iq3_xxs_kernels;
constinit const Kernels iq3_xxs_kernels = Block256<IQ3_XXS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
