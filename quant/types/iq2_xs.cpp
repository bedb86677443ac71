// IQ2_XS: 256 weights in 16 groups of 16; 2.3125 bits per weight.
//   w = d / 8 * (2 s + 1) * sign * grid.  Each 16 bits of qs: a grid index of 9 bits and 7 signs
// (the eighth makes their number even) for 8 weights; two 4-bit scales a byte, low nibble first.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_XS : GridCodes<IQ2_XS> {
  static constexpr Format format{"iq2_xs", 17, 256, 74, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 107, kOffsetShift = 6, kGroup = 16;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[64];
    uint8_t scales[8];
  };

  static constexpr float kUnit = 0.125f;
  static float scale(const Block& b) { return to_float(b.d) * kUnit; }
  static void groups(const Block& b, int8_t* scale, int8_t*) {
    store_bytes8(scale, odd8(nibbles8(load_u32(b.scales))));
    store_bytes8(scale + 8, odd8(nibbles8(load_u32(b.scales + 4))));
  }
  static uint64_t eight(const Block& b, int i) {
    return kIq2xsGrid.at[load_u16(b.qs + 2 * i) & 511];
  }
  static uint64_t signs(const Block& b, int g, int h) {
    return even_signs(sevens(b.qs + 8 * g) | sevens(b.qs + 8 * h) << 32);
  }
  // The upper seven of four times 16 bits.
  static uint64_t sevens(const uint8_t* qs) {
    uint64_t x = load_bytes8(qs) >> 9 & 0x007f007f007f007f;
    x = (x | x >> 9) & 0x00003fff00003fff;
    return (x | x >> 18) & 0xfffffff;
  }
};

}  // namespace

extern const Kernels iq2_xs_kernels;
constinit const Kernels iq2_xs_kernels = Block256<IQ2_XS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
