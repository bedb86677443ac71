// Encodes IQ2_XS: see quant/layouts/grids.h.
#include "quant/encoders/signed_grid.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_XS : layout::IQ2_XS {
  static constexpr bool kParity = true;
  static constexpr float kValues[] = {8, 25, 43};
  static constexpr const auto& kOrder = kIq2xsOrder;
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
