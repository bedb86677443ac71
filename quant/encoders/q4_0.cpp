// Q4_0: d * (q - 8), low nibbles are weights 0..15.
#include "quant/encoders/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_0 : Uniform<-8, 7> {
  static constexpr uint32_t gguf_type = 2;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qs[16];
  };
  static void pack(Block& b, Half d, Half, const uint8_t* q) {
    b.d = d;
    for (int i = 0; i < 16; ++i)
      b.qs[i] = static_cast<uint8_t>(q[kLanes * i] | q[kLanes * (16 + i)] << 4);
  }
};

}  // namespace

extern const Encoder q4_0_encoder;
constinit const Encoder q4_0_encoder = Blocks32<Q4_0>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
