// IQ2_S: 256 weights in 16 groups of 16; 2.5625 bits per weight.
//   w = d / 8 * (2 s + 1) * sign * grid.  The grid index of 8 weights is a byte of qs and two bits
// of qh, their signs are a byte; two 4-bit scales a byte, low nibble first.
#include "quant/kernels/block256.h"
#include "quant/kernels/grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_S : GridCodes<IQ2_S> {
  static constexpr Format format{"iq2_s", 22, 256, 82, 0, ActivationKind::kQ8x256};
  static constexpr int kMaxCode = 107, kOffsetShift = 6, kGroup = 16;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[32];
    uint8_t signs[32];
    uint8_t qh[8];
    uint8_t scales[8];
  };

  static constexpr float kUnit = 0.125f;
  static float scale(const Block& b) { return to_float(b.d) * kUnit; }
  static void groups(const Block& b, int8_t* scale, int8_t*) { store_odd_nibbles(scale, b.scales); }
  static constexpr bool kHasSigns = true;
  static constexpr const auto& kGrid = kIq2sGrid;
  static unsigned index(const Block& b, int i) {
    return b.qs[i] | (b.qh[i / 4] >> 2 * (i % 4) & 3) << 8;
  }
  static void store_indices(const Block& b, uint16_t* at) {
    const Words16 left = {256, 64, 16, 4, 256, 64, 16, 4, 256, 64, 16, 4, 256, 64, 16, 4};
    store_words(at, widen(b.qs) | (repeat<0, 4>(b.qh) * left & 0x300));
    store_words(at + 16, widen(b.qs + 16) | (repeat<4, 4>(b.qh) * left & 0x300));
  }
  static void store_octets(const Block& b, uint8_t* octets) { std::memcpy(octets, b.signs, 32); }
};

}  // namespace

extern const Kernels iq2_s_kernels;
constinit const Kernels iq2_s_kernels = Block256<IQ2_S>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
