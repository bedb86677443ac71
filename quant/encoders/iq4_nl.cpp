// IQ4_NL: d * T[nibble], T the 16 uneven levels; low nibbles are weights 0..15.
#include "quant/encoders/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ4_NL : NonLinear {
  static constexpr uint32_t gguf_type = 20;
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

extern const Encoder iq4_nl_encoder;
constinit const Encoder iq4_nl_encoder = Blocks32<IQ4_NL>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
