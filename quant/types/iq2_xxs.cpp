// IQ2_XXS (quant/layouts/grids.h): the codes are sign * grid + 2^kOffsetShift.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_XXS : HalfFactors<layout::IQ2_XXS>, GridCodes<IQ2_XXS> {
  static constexpr int kMaxCode = 107, kOffsetShift = 6;
  static void groups(const Block& b, int8_t* scale, int8_t*) { store_odds(scale, upper(b) >> 28); }
  static constexpr bool kHasSigns = true;
  static unsigned index(const Block& b, int i) { return b.qs[8 * (i / 4) + i % 4]; }
  static Fours8 upper(const Block& b) {
    const auto low = load_vector<Fours8>(b.qs), high = load_vector<Fours8>(b.qs + 32);
    return __builtin_shuffle(low, high, Fours8{1, 3, 5, 7, 9, 11, 13, 15});
  }
  static void store_octets(const Block& b, uint8_t* octets) {
    const auto signs = even_signs_of_28(reinterpret_cast<Eights4>(upper(b)));
    store_vector(octets, signs);
  }
};

}  // namespace

extern const Kernels iq2_xxs_kernels;
constinit const Kernels iq2_xxs_kernels = Block256<IQ2_XXS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
