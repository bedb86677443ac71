// Q8_0: d * q. Scales that put the largest weight a little below 127 round the others another way;
// the best of these has an eighth less error than the first.
#include "quant/encoders/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q8_0 : Uniform<-127, 127> {
  static constexpr uint32_t gguf_type = 8;
  static constexpr bool kHasMin = false;
  static constexpr float kFirstTry = 127, kTryStep = -0.7f;
  static constexpr int kTries = 8;
  struct Block {
    Half d;
    int8_t qs[32];
  };
  static void pack(Block& b, Half d, Half, const uint8_t* q) {
    b.d = d;
    for (int i = 0; i < 32; ++i) b.qs[i] = static_cast<int8_t>(q[kLanes * i] - 127);
  }
};

}  // namespace

extern const Encoder q8_0_encoder;
constinit const Encoder q8_0_encoder = Blocks32<Q8_0>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
