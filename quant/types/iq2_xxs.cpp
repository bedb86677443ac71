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
  static void groups(const Block& b, int8_t* scale, int8_t*) { store_odds(scale, upper(b) >> 28); }
  static constexpr bool kHasSigns = true;
  static constexpr const auto& kGrid = kIq2xxsGrid;
  static unsigned index(const Block& b, int i) { return b.qs[8 * (i / 4) + i % 4]; }
  static Fours8 upper(const Block& b) {
    const auto low = load_vector<Fours8>(b.qs), high = load_vector<Fours8>(b.qs + 32);
    return __builtin_shuffle(low, high, Fours8{1, 3, 5, 7, 9, 11, 13, 15});
  }
  static void store_octets(const Block& b, uint8_t* octets) {
    const auto signs = even_signs_of_28(reinterpret_cast<Eights4>(upper(b)));
    std::memcpy(octets, &signs, 32);
  }
};

}  // namespace

extern const Kernels iq2_xxs_kernels;
constinit const Kernels iq2_xxs_kernels = Block256<IQ2_XXS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
