// Encodes IQ2_XXS: see quant/layouts/grids.h.
#include "quant/encoders/signed_grid.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ2_XXS : layout::IQ2_XXS {
  static constexpr bool kParity = true;
  static constexpr float kValues[] = {8, 25, 43};
  static constexpr const auto& kOrder = kIq2xxsOrder;
  static void pack(Block& b, const SignedParts& p) {
    b.d = p.d;
    for (int g = 0; g < 8; ++g) {
      uint32_t bits = static_cast<uint32_t>(p.scale[g]) << 28;
      for (int i = 0; i < 4; ++i) {
        b.qs[8 * g + i] = static_cast<uint8_t>(p.entry[4 * g + i]);
        bits |= (p.signs[4 * g + i] & 127u) << 7 * i;
      }
      store_u32(b.qs + 8 * g + 4, bits);
    }
  }
};

}  // namespace

extern const Encoder iq2_xxs_encoder;
constinit const Encoder iq2_xxs_encoder = SignedGrid<IQ2_XXS>::encoder(true);

}  // namespace nibble::quant::NIBBLE_ISA
