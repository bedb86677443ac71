// Encodes IQ4_XS: see quant/layouts/blocks256.h.
#include "quant/encoders/blocks256.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ4_XS : layout::IQ4_XS, NonLinear {
  static constexpr int kScaleLow = -32, kScaleHigh = 31;
  static void pack(Block& b, const Parts& p) {
    b.d = p.d;
    for (uint8_t& byte : b.scales_h) byte = 0;
    for (uint8_t& byte : b.scales_l) byte = 0;
    for (int g = 0; g < 8; ++g) {
      const int u = p.scale[g] + 32;
      uint8_t &low = b.scales_l[g / 2], &high = b.scales_h[g / 4];
      low = static_cast<uint8_t>(low | (u & 15) << 4 * (g % 2));
      high = static_cast<uint8_t>(high | u >> 4 << 2 * (g % 4));
      for (int i = 0; i < 16; ++i)
        b.qs[16 * g + i] =
            static_cast<uint8_t>(code<32>(p, 32 * g + i) | code<32>(p, 32 * g + 16 + i) << 4);
    }
  }
};

}  // namespace

extern const Encoder iq4_xs_encoder;
constinit const Encoder iq4_xs_encoder = Blocks256<IQ4_XS>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
