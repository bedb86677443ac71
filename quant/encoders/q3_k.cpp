// Encodes Q3_K: see quant/layouts/blocks256.h.
#include "quant/encoders/blocks256.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q3_K : layout::Q3_K, Uniform<-4, 3> {
  static constexpr int kScaleLow = -32, kScaleHigh = 31;
  // Six bits of 16 scales: low nibbles of scales 0..7, high nibbles of 8..15, then the upper bits.
  static void pack_scales(const int32_t* scale, uint8_t (&s)[12]) {
    for (uint8_t& byte : s) byte = 0;
    for (int g = 0; g < 16; ++g) {
      const int u = scale[g] + 32;
      s[g % 8] = static_cast<uint8_t>(s[g % 8] | (u & 15) << (g < 8 ? 0 : 4));
      s[8 + g % 4] = static_cast<uint8_t>(s[8 + g % 4] | u >> 4 << 2 * (g / 4));
    }
  }
  static void pack(Block& b, const Parts& p) {
    b.d = p.d;
    pack_scales(p.scale, b.scales);
    for (uint8_t& byte : b.hmask) byte = 0;
    for (uint8_t& byte : b.qs) byte = 0;
    for (int run = 0; run < 8; ++run)
      for (int i = 0; i < 32; ++i) {
        const int q = code<16>(p, 32 * run + i);
        uint8_t& low = b.qs[run / 4 * 32 + i];
        low = static_cast<uint8_t>(low | (q & 3) << 2 * (run % 4));
        b.hmask[i] = static_cast<uint8_t>(b.hmask[i] | q >> 2 << run);
      }
  }
};

}  // namespace

extern const Encoder q3_k_encoder;
constinit const Encoder q3_k_encoder = Blocks256<Q3_K>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
