// Encodes TQ2_0: see quant/layouts/blocks256.h.
#include "quant/encoders/plain_blocks.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct TQ2_0 : layout::TQ2_0, Ternary {
  static void pack(Block& b, Half d, Half, const uint8_t* q) {
    b.d = d;
    for (int h = 0; h < 2; ++h)
      for (int i = 0; i < 32; ++i) {
        int bits = 0;
        for (int r = 0; r < 4; ++r) bits |= q[kLanes * (128 * h + 32 * r + i)] << 2 * r;
        b.qs[32 * h + i] = static_cast<uint8_t>(bits);
      }
  }
};

}  // namespace

extern const Encoder tq2_0_encoder;
constinit const Encoder tq2_0_encoder = PlainBlocks<TQ2_0>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
