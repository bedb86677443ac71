// IQ2_XS (quant/layouts/grids.h): the codes are sign * grid + 2^kOffsetShift.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_XS : HalfFactors<layout::IQ2_XS>, GridCodes<IQ2_XS> {
  static constexpr int kMaxCode = 107, kOffsetShift = 6;
  static void groups(const Block& b, int8_t* scale, int8_t*) { store_odd_nibbles(scale, b.scales); }
  static constexpr bool kHasSigns = true;
  static unsigned index(const Block& b, int i) { return load_u16(b.qs + 2 * i) & 511; }
  static void store_indices(const Block& b, uint16_t* at) {
    store_vector(at, load_vector<Words16>(b.qs) & 511);
    store_vector(at + 16, load_vector<Words16>(b.qs + 32) & 511);
  }
  static void store_octets(const Block& b, uint8_t* octets) {
    const auto signs = even_signs(reinterpret_cast<Eights4>(
        low_bytes(load_vector<Words16>(b.qs) >> 9, load_vector<Words16>(b.qs + 32) >> 9)));
    store_vector(octets, signs);
  }
};

}  // namespace

extern const Kernels iq2_xs_kernels;
constinit const Kernels iq2_xs_kernels = Block256<IQ2_XS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
