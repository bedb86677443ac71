// IQ2_S: d / 8 * (2 s + 1) * sign * grid; a byte of qs and two bits of qh for the grid index of 8
// weights, a byte for their signs; two 4-bit scales a byte, low nibble first.
#include "quant/encoders/signed_grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_S {
  static constexpr uint32_t gguf_type = 22;
  static constexpr bool kParity = false;
  static constexpr int kGroupOctets = 2;
  static constexpr float kUnit = 0.125f, kValues[] = {8, 25, 43};
  static constexpr const auto& kOrder = kIq2sOrder;
  static constexpr const auto& kGrid = kIq2sGrid;
  struct Block {
    Half d;
    uint8_t qs[32];
    uint8_t signs[32];
    uint8_t qh[8];
    uint8_t scales[8];
  };
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
