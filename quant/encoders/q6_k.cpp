// Encodes Q6_K: see quant/layouts/blocks256.h.
#include "quant/encoders/blocks256.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q6_K : layout::Q6_K, Uniform<-32, 31> {
  static constexpr int kScaleLow = -128, kScaleHigh = 127;
  static void pack(Block& b, const Parts& p) {
    b.d = p.d;
    for (int g = 0; g < 16; ++g) b.scales[g] = static_cast<int8_t>(p.scale[g]);
    for (int h = 0; h < 2; ++h)
      for (int i = 0; i < 32; ++i) {
        const int at = 128 * h + i;
        const int q0 = code<16>(p, at), q1 = code<16>(p, at + 32), q2 = code<16>(p, at + 64),
                  q3 = code<16>(p, at + 96);
        b.ql[64 * h + i] = static_cast<uint8_t>((q0 & 15) | q2 << 4);
        b.ql[64 * h + 32 + i] = static_cast<uint8_t>((q1 & 15) | q3 << 4);
        b.qh[32 * h + i] =
            static_cast<uint8_t>(q0 >> 4 | q1 >> 4 << 2 | q2 >> 4 << 4 | q3 >> 4 << 6);
      }
  }
};

}  // namespace

extern const Encoder q6_k_encoder;
constinit const Encoder q6_k_encoder = Blocks256<Q6_K>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
