// Encodes Q5_K: see quant/layouts/blocks256.h.
#include "quant/encoders/scales6.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_K : Scales6<layout::Q5_K>, Uniform<0, 31> {
  static void pack(Block& b, const Parts& p) {
    Scales6::pack(b, p);
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
