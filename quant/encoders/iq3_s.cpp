// Encodes IQ3_S: see quant/layouts/grids.h.
#include "quant/encoders/signed_grid.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ3_S : layout::IQ3_S {
  static constexpr bool kParity = false;
  static constexpr float kUnit = 1, kValues[] = {1, 3, 5, 7, 9, 11, 13, 15};
  static constexpr const auto& kOrder = kIq3sOrder;
  static void pack(Block& b, const SignedParts& p) {
    b.d = p.d;
    for (uint8_t& byte : b.qh) byte = 0;
    for (int i = 0; i < 64; ++i) {
      b.qs[i] = static_cast<uint8_t>(p.entry[i] & 255);
      b.qh[i / 8] = static_cast<uint8_t>(b.qh[i / 8] | p.entry[i] >> 8 << i % 8);
    }
    for (int i = 0; i < 32; ++i) b.signs[i] = p.signs[i];
    pack_nibbles(p.scale, b.scales);
  }
};

}  // namespace

extern const Encoder iq3_s_encoder;
constinit const Encoder iq3_s_encoder = SignedGrid<IQ3_S>::encoder(false);

}  // namespace nibble::quant::NIBBLE_ISA
