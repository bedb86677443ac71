// IQ1_S: 256 weights in 8 groups of 32; 1.5625 bits per weight.
//   w = d * (2 s + 1) * (grid +- 1/8), grid in -1..1; the codes are 8 (grid +- 1/8) + 16.
// 16 bits of qh for a group: three upper bits of its four grid indices, three bits of scale s, and
// in the top one the sign of 1/8.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ1_S : GridCodes<IQ1_S> {
  static constexpr Format format{"iq1_s", 19, 256, 50, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 25, kOffsetShift = 4, kGroup = 32;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[32];
    uint8_t qh[16];
  };

  static constexpr float kUnit = 0.125f;
  static float scale(const Block& b) { return to_float(b.d) * kUnit; }
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    const Words8 high = load_vector<Words8>(b.qh);
    const auto scales = __builtin_convertvector((high >> 11 & 14) | 1, Bytes8);
    std::memcpy(scale, &scales, 8);
  }
  static constexpr bool kHasSigns = false;
  static constexpr const auto& kGrid = kIq1Grid;
  static unsigned index(const Block& b, int i) {
    return b.qs[i] | (load_u16(b.qh + i / 4 * 2) >> 3 * (i % 4) & 7) << 8;
  }
  static void store_indices(const Block& b, uint16_t* at) {
    for (int h = 0; h < 2; ++h)
      store_words(at + 16 * h, widen(b.qs + 16 * h) | (threes(b.qh + 8 * h) >> 1 & 0x700));
  }
  static void store_octets(const Block& b, uint8_t* octets) {
    const Words8 minus = load_vector<Words8>(b.qh) >> 15;
    const Fours8 less = 0xf1f1f1f1 - __builtin_convertvector(minus, Fours8) * 0x02020202;
    std::memcpy(octets, &less, 32);  // 1 - 16 or -1 - 16
  }
};

}  // namespace

extern const Kernels iq1_s_kernels;
constinit const Kernels iq1_s_kernels = Block256<IQ1_S>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
