// IQ2_S (quant/layouts/grids.h): the codes are sign * grid + 2^kOffsetShift.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_S : HalfFactors<layout::IQ2_S>, GridCodes<IQ2_S> {
  static constexpr int kMaxCode = 107, kOffsetShift = 6;
  static void groups(const Block& b, int8_t* scale, int8_t*) { store_odd_nibbles(scale, b.scales); }
  static constexpr bool kHasSigns = true;
  static unsigned index(const Block& b, int i) {
    return b.qs[i] | (b.qh[i / 4] >> 2 * (i % 4) & 3) << 8;
  }
  static void store_indices(const Block& b, uint16_t* at) {
    const Words16 left = {256, 64, 16, 4, 256, 64, 16, 4, 256, 64, 16, 4, 256, 64, 16, 4};
    store_vector(at, widen(b.qs) | (repeat<0, 4>(b.qh) * left & 0x300));
    store_vector(at + 16, widen(b.qs + 16) | (repeat<4, 4>(b.qh) * left & 0x300));
  }
  static void store_octets(const Block& b, uint8_t* octets) { std::memcpy(octets, b.signs, 32); }
};

}  // namespace

extern const Kernels iq2_s_kernels;
constinit const Kernels iq2_s_kernels = Block256<IQ2_S>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
