// Q4_K: d * scale * q - dmin * min; chunk c of 64 codes has qs[32 c ..], low nibbles first.
#include "quant/encoders/scales6.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_K : Uniform<0, 15> {
  static constexpr uint32_t gguf_type = 12;
  static constexpr bool kHasMin = true;
  static constexpr int kGroup = 32, kScaleLow = 0, kScaleHigh = 63;
  struct Block {
    Half d, dmin;
    uint8_t scales[12];
    uint8_t qs[128];
  };
  static void pack(Block& b, const Parts& p) {
    b.d = p.d;
    b.dmin = p.dmin;
    pack_scales6(p.scale, p.min, b.scales);
    for (int c = 0; c < 4; ++c)
      for (int i = 0; i < 32; ++i)
        b.qs[32 * c + i] =
            static_cast<uint8_t>(code<32>(p, 64 * c + i) | code<32>(p, 64 * c + 32 + i) << 4);
  }
};

}  // namespace

extern const Encoder q4_k_encoder;
constinit const Encoder q4_k_encoder = Blocks256<Q4_K>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
