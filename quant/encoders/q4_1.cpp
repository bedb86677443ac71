// Q4_1: d * q + m, low nibbles are weights 0..15.
#include "quant/encoders/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_1 : Uniform<0, 15> {
  static constexpr uint32_t gguf_type = 3;
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, m;
    uint8_t qs[16];
  };
  static void pack(Block& b, Half d, Half m, const uint8_t* q) {
    b.d = d;
    b.m = m;
    for (int i = 0; i < 16; ++i)
      b.qs[i] = static_cast<uint8_t>(q[kLanes * i] | q[kLanes * (16 + i)] << 4);
  }
};

}  // namespace

extern const Encoder q4_1_encoder;
constinit const Encoder q4_1_encoder = Blocks32<Q4_1>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
