// TQ2_0: d * (q - 1) with two bits of q; each half of 128 has qs[32 h ..], run r of it bits 2r.
#include "quant/encoders/ternary.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct TQ2_0 {
  static constexpr uint32_t gguf_type = 35;
  struct Block {
    uint8_t qs[64];
    Half d;
  };
  static void pack(Block& b, Half d, const uint8_t* q) {
    b.d = d;
    for (int h = 0; h < 2; ++h)
      for (int i = 0; i < 32; ++i) {
        int bits = 0;
        for (int r = 0; r < 4; ++r) bits |= q[kLanes * (128 * h + 32 * r + i)] << 2 * r;
        b.qs[32 * h + i] = static_cast<uint8_t>(bits);
      }
  }
};

}  // namespace

extern const Encoder tq2_0_encoder;
constinit const Encoder tq2_0_encoder = TernaryBlocks<TQ2_0>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
