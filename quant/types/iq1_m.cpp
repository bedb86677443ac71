// IQ1_M (quant/layouts/grids.h): the codes are 8 (grid +- 1/8) + 16.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ1_M : layout::IQ1_M, GridCodes<IQ1_M> {
  static constexpr int kMaxCode = 25, kOffsetShift = 4;
  static constexpr float kUnit = 0.125f;
  static float scale(const Block& b) {
    const uint64_t words = load_bytes8(b.scales);
    const auto bits = static_cast<uint16_t>((words >> 12 & 0xf) | (words >> 24 & 0xf0) |
                                            (words >> 36 & 0xf00) | (words >> 48 & 0xf000));
    Half d;
    std::memcpy(&d, &bits, 2);
    return to_float(d) * kUnit;
  }
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    store_odds(scale, threes(b.scales) >> 9 & 7);
  }
  static constexpr bool kHasSigns = false;
  static unsigned index(const Block& b, int i) {
    return b.qs[i] | (b.qh[i / 2] >> 4 * (i % 2) & 7) << 8;
  }
  static void store_indices(const Block& b, uint16_t* at) {
    const Words16 left = {256, 16, 256, 16, 256, 16, 256, 16, 256, 16, 256, 16, 256, 16, 256, 16};
    store_vector(at, widen(b.qs) | (repeat<0, 2>(b.qh) * left & 0x700));
    store_vector(at + 16, widen(b.qs + 16) | (repeat<0, 2>(b.qh + 8) * left & 0x700));
  }
  static void store_octets(const Block& b, uint8_t* octets) {
    const Words16 two = widen(b.qh);  // in each word: bit 3 of the first of two nibbles, bit 7
    const Words16 less = 0xf1f1 - ((two >> 2 & 0x0002) | (two << 2 & 0x0200));
    store_vector(octets, less);  // 1 - 16 or -1 - 16
  }
};

}  // namespace

extern const Kernels iq1_m_kernels;
constinit const Kernels iq1_m_kernels = Block256<IQ1_M>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
