// Encodes TQ1_0: see quant/layouts/blocks256.h.
#include "quant/encoders/plain_blocks.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct TQ1_0 : layout::TQ1_0, Ternary {
  // Of n_bytes bytes: digit k of byte i is weight k * n_bytes + i.
  static void pack_digits(uint8_t* bytes, int n_bytes, int n_digits, const uint8_t* q) {
    for (int i = 0; i < n_bytes; ++i) {
      int number = 0;
      for (int k = 0; k < 5; ++k)
        number = 3 * number + (k < n_digits ? q[kLanes * (k * n_bytes + i)] : 0);
      bytes[i] = static_cast<uint8_t>((number * 256 + 242) / 243);
    }
  }
  static void pack(Block& b, Half d, Half, const uint8_t* q) {
    b.d = d;
    pack_digits(b.qs, 32, 5, q);
    pack_digits(b.qs + 32, 16, 5, q + kLanes * 160);
    pack_digits(b.qh, 4, 4, q + kLanes * 240);
  }
};

}  // namespace

extern const Encoder tq1_0_encoder;
constinit const Encoder tq1_0_encoder = PlainBlocks<TQ1_0>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
