// Q5_0: d * (q - 16); bit i of qh is the fifth bit of weight i.
#include "quant/encoders/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_0 : Uniform<-16, 15> {
  static constexpr uint32_t gguf_type = 6;
  static constexpr bool kHasMin = false;
  struct Block {
    Half d;
    uint8_t qh[4];
    uint8_t qs[16];
  };
  static void pack(Block& b, Half d, Half, const uint8_t* q) {
    b.d = d;
    for (uint8_t& bits : b.qh) bits = 0;
    for (int i = 0; i < 16; ++i)
      b.qs[i] = static_cast<uint8_t>((q[kLanes * i] & 15) | q[kLanes * (16 + i)] << 4);
    for (int i = 0; i < 32; ++i)
      b.qh[i / 8] = static_cast<uint8_t>(b.qh[i / 8] | q[kLanes * i] >> 4 << i % 8);
  }
};

}  // namespace

extern const Encoder q5_0_encoder;
constinit const Encoder q5_0_encoder = Blocks32<Q5_0>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
