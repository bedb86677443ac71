// Q5_1: d * q + m; bit i of qh is the fifth bit of weight i.
#include "quant/encoders/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_1 : Uniform<0, 31> {
  static constexpr uint32_t gguf_type = 7;
  static constexpr bool kHasMin = true;
  struct Block {
    Half d, m;
    uint8_t qh[4];
    uint8_t qs[16];
  };
  static void pack(Block& b, Half d, Half m, const uint8_t* q) {
    b.d = d;
    b.m = m;
    for (uint8_t& bits : b.qh) bits = 0;
    for (int i = 0; i < 16; ++i)
      b.qs[i] = static_cast<uint8_t>((q[kLanes * i] & 15) | q[kLanes * (16 + i)] << 4);
    for (int i = 0; i < 32; ++i)
      b.qh[i / 8] = static_cast<uint8_t>(b.qh[i / 8] | q[kLanes * i] >> 4 << i % 8);
  }
};

}  // namespace

extern const Encoder q5_1_encoder;
constinit const Encoder q5_1_encoder = Blocks32<Q5_1>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
