// IQ4_XS: d * (scale - 32) * T[nibble], T the 16 uneven levels; group g has qs[16 g ..], low
// nibbles are its first 16 weights. Four bits of each scale stand in scales_l, two in scales_h.
#include "quant/encoders/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ4_XS : NonLinear {
  static constexpr uint32_t gguf_type = 23;
  static constexpr bool kHasMin = false;
  static constexpr int kGroup = 32, kScaleLow = -32, kScaleHigh = 31;
  struct Block {
    Half d;
    uint8_t scales_h[2];
    uint8_t scales_l[4];
    uint8_t qs[128];
  };
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
