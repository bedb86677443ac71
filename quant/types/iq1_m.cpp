// IQ1_M: 256 weights in 16 groups of 16; 1.75 bits per weight.
//   w = d * (2 s + 1) * (grid +- 1/8), grid in -1..1; the codes are 8 (grid +- 1/8) + 16.
// A nibble of qh for 8 weights: three upper bits of the grid index and the sign of 1/8. Each 16
// bits of scales: four 3-bit scales and, in the upper four bits, a quarter of the half-precision d.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ1_M : GridCodes<IQ1_M> {
  static constexpr Format format{"iq1_m", 29, 256, 56, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 25, kOffsetShift = 4, kGroup = 16;
  static constexpr bool kHasMin = false;
  struct Block {
    uint8_t qs[32];
    uint8_t qh[16];
    uint8_t scales[8];
  };

  static constexpr float kUnit = 0.125f;
  static float scale(const Block& b) {
    int bits = 0;
    for (int i = 0; i < 4; ++i) bits |= b.scales[2 * i + 1] >> 4 << 4 * i;
    return to_float({{static_cast<uint8_t>(bits & 255), static_cast<uint8_t>(bits >> 8)}}) * kUnit;
  }
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    store_bytes8(scale, odd8(threes(b.scales)));
    store_bytes8(scale + 8, odd8(threes(b.scales + 4)));
  }
  // Four 3-bit fields of each of two times 16 bits.
  static uint64_t threes(const uint8_t* p) {
    const uint64_t x = load_u16(p) | uint64_t{load_u16(p + 2)} << 32, k = 0x0000000700000007;
    return (x & k) | (x << 5 & k << 8) | (x << 10 & k << 16) | (x << 15 & k << 24);
  }
  static uint64_t eight(const Block& b, int i) {
    const unsigned high = b.qh[i / 2] >> 4 * (i % 2);
    const uint64_t plus = kIq1Grid.at[b.qs[i] | (high & 7) << 8] + kOnes8;
    return plus - (high >> 3 & 1) * 2 * kOnes8;
  }
};

}  // namespace

extern const Kernels iq1_m_kernels;
constinit const Kernels iq1_m_kernels = Block256<IQ1_M>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
