// Encodes IQ4_NL: see quant/layouts/blocks32.h.
#include "quant/encoders/plain_blocks.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ4_NL : layout::IQ4_NL, NonLinear {
  static void pack(Block& b, Half d, Half, const uint8_t* q) {
    b.d = d;
    pack_nibbles32(q, b.qs);
  }
};

}  // namespace

extern const Encoder iq4_nl_encoder;
constinit const Encoder iq4_nl_encoder = PlainBlocks<IQ4_NL>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
