// Encodes Q5_0: see quant/layouts/blocks32.h.
#include "quant/encoders/plain_blocks.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_0 : layout::Q5_0, Uniform<-16, 15> {
  static void pack(Block& b, Half d, Half, const uint8_t* q) {
    b.d = d;
    pack_nibbles32(q, b.qs);
    pack_fifth_bits(q, b.qh);
  }
};

}  // namespace

extern const Encoder q5_0_encoder;
constinit const Encoder q5_0_encoder = PlainBlocks<Q5_0>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
