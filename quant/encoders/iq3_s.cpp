// IQ3_S: d * (2 s + 1) * sign * grid; a byte of qs and a bit of qh for the grid index of 4 weights,
// a byte for the signs of 8; two 4-bit scales a byte, low nibble first.
#include "quant/encoders/signed_grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ3_S {
  static constexpr uint32_t gguf_type = 21;
  static constexpr bool kParity = false;
  static constexpr int kGroupOctets = 4;
  static constexpr float kUnit = 1, kValues[] = {1, 3, 5, 7, 9, 11, 13, 15};
  static constexpr const auto& kOrder = kIq3sOrder;
  static constexpr const auto& kGrid = kIq3sGrid;
  struct Block {
    Half d;
    uint8_t qs[64];
    uint8_t qh[8];
    uint8_t signs[32];
    uint8_t scales[4];
  };
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
