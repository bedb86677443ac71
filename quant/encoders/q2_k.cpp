// Encodes Q2_K: see quant/layouts/blocks256.h.
#include "quant/encoders/blocks256.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q2_K : layout::Q2_K, Uniform<0, 3> {
  static constexpr int kScaleLow = 0, kScaleHigh = 15;
  static void pack(Block& b, const Parts& p) {
    b.d = p.d;
    b.dmin = p.dmin;
    for (int g = 0; g < 16; ++g) b.scales[g] = static_cast<uint8_t>(p.scale[g] | p.min[g] << 4);
    for (uint8_t& byte : b.qs) byte = 0;
    for (int run = 0; run < 8; ++run)
      for (int i = 0; i < 32; ++i) {
        uint8_t& packed = b.qs[run / 4 * 32 + i];
        packed = static_cast<uint8_t>(packed | code<16>(p, 32 * run + i) << 2 * (run % 4));
      }
  }
};

}  // namespace

extern const Encoder q2_k_encoder;
constinit const Encoder q2_k_encoder = Blocks256<Q2_K>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
