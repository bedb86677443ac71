// IQ1_S (quant/layouts/grids.h): the codes are 8 (grid +- 1/8) + 16.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ1_S : layout::IQ1_S, GridCodes<IQ1_S> {
  static constexpr int kMaxCode = 25, kOffsetShift = 4;
  static constexpr float kUnit = 0.125f;
  static float scale(const Block& b) { return to_float(b.d) * kUnit; }
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    const Words8 high = load_vector<Words8>(b.qh);
    const auto scales = __builtin_convertvector((high >> 11 & 14) | 1, Bytes8);
    std::memcpy(scale, &scales, 8);
  }
  static constexpr bool kHasSigns = false;
  static unsigned index(const Block& b, int i) {
    return b.qs[i] | (load_u16(b.qh + i / 4 * 2) >> 3 * (i % 4) & 7) << 8;
  }
  static void store_indices(const Block& b, uint16_t* at) {
    for (int h = 0; h < 2; ++h)
      store_vector(at + 16 * h, widen(b.qs + 16 * h) | (threes(b.qh + 8 * h) >> 1 & 0x700));
  }
  static void store_octets(const Block& b, uint8_t* octets) {
    const Words8 minus = load_vector<Words8>(b.qh) >> 15;
    const Fours8 less = 0xf1f1f1f1 - __builtin_convertvector(minus, Fours8) * 0x02020202;
    store_vector(octets, less);  // 1 - 16 or -1 - 16
  }
};

}  // namespace

extern const Kernels iq1_s_kernels;
constinit const Kernels iq1_s_kernels = Block256<IQ1_S>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
