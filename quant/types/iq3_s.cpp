// IQ3_S: 256 weights in 8 groups of 32; 3.4375 bits per weight.
//   w = d * (2 s + 1) * sign * grid.  The grid index of 4 weights is a byte of qs and a bit of qh,
// the signs of 8 are a byte; two 4-bit scales a byte, low nibble first.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ3_S : GridCodes<IQ3_S> {
  static constexpr Format format{"iq3_s", 21, 256, 110, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 31, kOffsetShift = 4, kGroup = 32;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[64];
    uint8_t qh[8];
    uint8_t signs[32];
    uint8_t scales[4];
  };

  static float scale(const Block& b) { return to_float(b.d); }
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    store_bytes8(scale, odd8(nibbles8(load_u32(b.scales))));
  }
  static uint64_t eight(const Block& b, int i) {
    const int high = b.qh[i / 4] >> 2 * (i % 4);
    return kIq3sGrid.at[b.qs[2 * i] | (high & 1) << 8] |
           uint64_t{kIq3sGrid.at[b.qs[2 * i + 1] | (high & 2) << 7]} << 32;
  }
  static uint64_t signs(const Block& b, int g, int h) {
    return load_two_u32(b.signs + 4 * g, b.signs + 4 * h);
  }
};

}  // namespace

extern const Kernels iq3_s_kernels;
constinit const Kernels iq3_s_kernels = Block256<IQ3_S>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
