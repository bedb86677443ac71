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
  static void groups(const Block& b, int8_t* scale, int8_t*) { store_odd_nibbles(scale, b.scales); }
  static constexpr bool kHasSigns = true;
  static constexpr const auto& kGrid = kIq2xsGrid;
  static unsigned index(const Block& b, int i) { return load_u16(b.qs + 2 * i) & 511; }
  static void store_indices(const Block& b, uint16_t* at) {
    store_words(at, load_vector<Words16>(b.qs) & 511);
    store_words(at + 16, load_vector<Words16>(b.qs + 32) & 511);
  }
  static void store_octets(const Block& b, uint8_t* octets) {
    const auto signs = even_signs(reinterpret_cast<Eights4>(
        low_bytes(load_vector<Words16>(b.qs) >> 9, load_vector<Words16>(b.qs + 32) >> 9)));
    std::memcpy(octets, &signs, 32);
  }
};

}  // namespace

extern const Kernels iq2_xs_kernels;
constinit const Kernels iq2_xs_kernels = Block256<IQ2_XS>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
