// Q5_K: as Q4_K; bit g of qh[i] is the fifth bit of code i of group g.
#include "quant/encoders/scales6.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_K : Uniform<0, 31> {
  static constexpr uint32_t gguf_type = 13;
  static constexpr bool kHasMin = true;
  static constexpr int kGroup = 32, kScaleLow = 0, kScaleHigh = 63;
  struct Block {
    Half d, dmin;
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
  };
  static void pack(Block& b, const Parts& p) {
    b.d = p.d;
    b.dmin = p.dmin;
    pack_scales6(p.scale, p.min, b.scales);
    for (int c = 0; c < 4; ++c)
      for (int i = 0; i < 32; ++i)
        b.qs[32 * c + i] = static_cast<uint8_t>((code<32>(p, 64 * c + i) & 15) |
                                                code<32>(p, 64 * c + 32 + i) << 4);
    for (int i = 0; i < 32; ++i) {
      int bits = 0;
      for (int g = 0; g < 8; ++g) bits |= code<32>(p, 32 * g + i) >> 4 << g;
      b.qh[i] = static_cast<uint8_t>(bits);
    }
  }
};

}  // namespace

extern const Encoder q5_k_encoder;
constinit const Encoder q5_k_encoder = Blocks256<Q5_K>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
