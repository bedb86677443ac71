// Encodes Q4_1: see quant/layouts/blocks32.h.
#include "quant/encoders/plain_blocks.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_1 : layout::Q4_1, Uniform<0, 15> {
  static void pack(Block& b, Half d, Half m, const uint8_t* q) {
    b.d = d;
    b.m = m;
    pack_nibbles32(q, b.qs);
  }
};

}  // namespace

extern const Encoder q4_1_encoder;
constinit const Encoder q4_1_encoder = PlainBlocks<Q4_1>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
