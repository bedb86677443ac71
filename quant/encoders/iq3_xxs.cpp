// Encodes IQ3_XXS: see quant/layouts/grids.h.
#include "quant/encoders/signed_grid.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ3_XXS : layout::IQ3_XXS {
  static constexpr bool kParity = true;
  static constexpr float kValues[] = {4, 12, 20, 28, 36, 44, 52, 62};
  static constexpr const auto& kOrder = kIq3xxsOrder;
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
