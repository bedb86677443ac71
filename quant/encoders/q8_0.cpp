// Encodes Q8_0: see quant/layouts/blocks32.h. Scales that put the largest weight a little below 127
// round the others another way; the best of these has an eighth less error than the first.
#include "quant/encoders/plain_blocks.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q8_0 : layout::Q8_0, Uniform<-127, 127> {
  static constexpr float kFirstTry = 127, kTryStep = -0.7f;
  static constexpr int kTries = 8;
  static void pack(Block& b, Half d, Half, const uint8_t* q) {
    b.d = d;
    for (int i = 0; i < 32; ++i) b.qs[i] = static_cast<int8_t>(q[kLanes * i] - 127);
  }
};

}  // namespace

extern const Encoder q8_0_encoder;
constinit const Encoder q8_0_encoder = PlainBlocks<Q8_0>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
