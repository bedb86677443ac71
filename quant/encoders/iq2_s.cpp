// Encodes IQ2_S: see quant/layouts/grids.h.
#include "quant/encoders/signed_grid.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_S : layout::IQ2_S {
  static constexpr bool kParity = false;
  static constexpr float kValues[] = {8, 25, 43};
  static constexpr const auto& kOrder = kIq2sOrder;
  static void pack(Block& b, const SignedParts& p) {
    b.d = p.d;
    for (uint8_t& byte : b.qh) byte = 0;
    for (int i = 0; i < 32; ++i) {
      b.qs[i] = static_cast<uint8_t>(p.entry[i] & 255);
      b.signs[i] = p.signs[i];
      b.qh[i / 4] = static_cast<uint8_t>(b.qh[i / 4] | p.entry[i] >> 8 << 2 * (i % 4));
    }
    pack_nibbles(p.scale, b.scales);
  }
};

}  // namespace

extern const Encoder iq2_s_encoder;
constinit const Encoder iq2_s_encoder = SignedGrid<IQ2_S>::encoder(true);

}  // namespace nibble::quant::NIBBLE_ISA
