// Encodes Q5_1: see quant/layouts/blocks32.h.
#include "quant/encoders/plain_blocks.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_1 : layout::Q5_1, Uniform<0, 31> {
  static void pack(Block& b, Half d, Half m, const uint8_t* q) {
    b.d = d;
    b.m = m;
    pack_nibbles32(q, b.qs);
    pack_fifth_bits(q, b.qh);
  }
};

}  // namespace

extern const Encoder q5_1_encoder;
constinit const Encoder q5_1_encoder = PlainBlocks<Q5_1>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
