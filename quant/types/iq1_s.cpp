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
    uint64_t s = 0;
    for (int g = 0; g < 8; ++g) s |= uint64_t{b.qh[2 * g + 1]} >> 4 << 8 * g;
    store_bytes8(scale, odd8(s & 7 * kOnes8));
  }
  static uint64_t eight(const Block& b, int i) {
    const unsigned high = load_u16(b.qh + i / 4 * 2);
    const uint64_t plus = kIq1Grid.at[b.qs[i] | (high >> 3 * (i % 4) & 7) << 8] + kOnes8;
    return plus - (high >> 15) * 2 * kOnes8;
  }
};

}  // namespace

extern const Kernels iq1_s_kernels;
constinit const Kernels iq1_s_kernels = Block256<IQ1_S>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
