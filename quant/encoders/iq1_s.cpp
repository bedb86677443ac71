// Encodes IQ1_S: see quant/layouts/grids.h.
#include "quant/encoders/iq1.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ1_S : layout::IQ1_S {
  static constexpr int kShiftOctets = 4;
  static void pack(Block& b, const Iq1Parts& p) {
    b.d = p.d;
    for (int g = 0; g < 8; ++g) {
      int bits = p.scale[g] << 12 | p.below[4 * g] << 15;
      for (int i = 0; i < 4; ++i) {
        b.qs[4 * g + i] = static_cast<uint8_t>(p.entry[4 * g + i] & 255);
        bits |= p.entry[4 * g + i] >> 8 << 3 * i;
      }
      b.qh[2 * g] = static_cast<uint8_t>(bits & 255);
      b.qh[2 * g + 1] = static_cast<uint8_t>(bits >> 8);
    }
  }
};

}  // namespace

extern const Encoder iq1_s_encoder;
constinit const Encoder iq1_s_encoder = Iq1Grid<IQ1_S>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
