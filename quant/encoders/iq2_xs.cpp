// IQ2_XS: d / 8 * (2 s + 1) * sign * grid; 16 bits for 8 weights, a grid index of 9 and 7 signs;
// two 4-bit scales a byte, low nibble first.
#include "quant/encoders/signed_grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_XS {
  static constexpr uint32_t gguf_type = 17;
  static constexpr bool kParity = true;
  static constexpr int kGroupOctets = 2;
  static constexpr float kUnit = 0.125f, kValues[] = {8, 25, 43};
  static constexpr const auto& kOrder = kIq2xsOrder;
  static constexpr const auto& kGrid = kIq2xsGrid;
  struct Block {
    Half d;
    uint8_t qs[64];
    uint8_t scales[8];
  };
  static void pack(Block& b, const SignedParts& p) {
    b.d = p.d;
    for (int i = 0; i < 32; ++i) {
      const int bits = p.entry[i] | (p.signs[i] & 127) << 9;
      b.qs[2 * i] = static_cast<uint8_t>(bits & 255);
      b.qs[2 * i + 1] = static_cast<uint8_t>(bits >> 8);
    }
    pack_nibbles(p.scale, b.scales);
  }
};

}  // namespace

extern const Encoder iq2_xs_encoder;
constinit const Encoder iq2_xs_encoder = SignedGrid<IQ2_XS>::encoder(true);

}  // namespace nibble::quant::NIBBLE_ISA
