// IQ3_XXS (quant/layouts/grids.h): the codes are sign * grid + 2^kOffsetShift.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ3_XXS : HalfFactors<layout::IQ3_XXS>, GridCodes<IQ3_XXS> {
  static constexpr int kMaxCode = 126, kOffsetShift = 6;
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    store_odds(scale, load_vector<Fours8>(b.signs) >> 28);
  }
  static constexpr bool kHasSigns = true;
  static unsigned index(const Block& b, int i) { return b.qs[i]; }
  static void store_octets(const Block& b, uint8_t* octets) {
    const auto signs = even_signs_of_28(load_vector<Eights4>(b.signs));
    store_vector(octets, signs);
  }
};

}  // namespace

extern const Kernels iq3_xxs_kernels;
constinit const Kernels iq3_xxs_kernels = Block256<IQ3_XXS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
