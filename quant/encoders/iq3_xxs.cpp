// IQ3_XXS: d / 4 * (2 s + 1) * sign * grid; a byte for the grid index of 4 weights; for a group of
// 32 four times 7 signs and the scale s in the upper four bits.
#include "quant/encoders/signed_grid.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ3_XXS {
  static constexpr uint32_t gguf_type = 18;
  static constexpr bool kParity = true;
  static constexpr int kGroupOctets = 4;
  static constexpr float kUnit = 0.25f, kValues[] = {4, 12, 20, 28, 36, 44, 52, 62};
  static constexpr const auto& kOrder = kIq3xxsOrder;
  static constexpr const auto& kGrid = kIq3xxsGrid;
  struct Block {
    Half d;
    uint8_t qs[64];
    uint8_t signs[32];
  };
  static void pack(Block& b, const SignedParts& p) {
    b.d = p.d;
    for (int i = 0; i < 64; ++i) b.qs[i] = static_cast<uint8_t>(p.entry[i]);
    for (int g = 0; g < 8; ++g) {
      uint32_t bits = static_cast<uint32_t>(p.scale[g]) << 28;
      for (int i = 0; i < 4; ++i) bits |= (p.signs[4 * g + i] & 127u) << 7 * i;
      store_u32(b.signs + 4 * g, bits);
    }
  }
};

}  // namespace

extern const Encoder iq3_xxs_encoder;
constinit const Encoder iq3_xxs_encoder = SignedGrid<IQ3_XXS>::encoder(true);

}  // namespace nibble::quant::NIBBLE_ISA
