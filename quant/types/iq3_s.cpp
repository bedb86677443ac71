// IQ3_S (quant/layouts/grids.h): the codes are sign * grid + 2^kOffsetShift.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ3_S : HalfFactors<layout::IQ3_S>, GridCodes<IQ3_S> {
  static constexpr int kMaxCode = 31, kOffsetShift = 4;
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    store_bytes8(scale, odd8(nibbles8(load_u32(b.scales))));
  }
  static constexpr bool kHasSigns = true;
  static unsigned index(const Block& b, int i) { return b.qs[i] | (b.qh[i / 8] >> i % 8 & 1) << 8; }
  template <int q>  // of 16
  static void store_quarter(const Block& b, uint16_t* at) {
    const Words16 left = {256, 128, 64, 32, 16, 8, 4, 2, 256, 128, 64, 32, 16, 8, 4, 2};
    store_vector(at + 16 * q, widen(b.qs + 16 * q) | (repeat<2 * q, 8>(b.qh) * left & 0x100));
  }
  static void store_indices(const Block& b, uint16_t* at) {
    store_quarter<0>(b, at);
    store_quarter<1>(b, at);
    store_quarter<2>(b, at);
    store_quarter<3>(b, at);
  }
  static void store_octets(const Block& b, uint8_t* octets) { std::memcpy(octets, b.signs, 32); }
};

}  // namespace

extern const Kernels iq3_s_kernels;
constinit const Kernels iq3_s_kernels = Block256<IQ3_S>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
