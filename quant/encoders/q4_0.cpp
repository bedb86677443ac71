// Encodes Q4_0: see quant/layouts/blocks32.h.
#include "quant/encoders/plain_blocks.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_0 : layout::Q4_0, Uniform<-8, 7> {
  static void pack(Block& b, Half d, Half, const uint8_t* q) {
    b.d = d;
    pack_nibbles32(q, b.qs);
  }
};

}  // namespace

extern const Encoder q4_0_encoder;
constinit const Encoder q4_0_encoder = PlainBlocks<Q4_0>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
