// Encodes IQ1_M: see quant/layouts/grids.h.
#include "quant/encoders/iq1.h"
#include "quant/layouts/grids.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ1_M : layout::IQ1_M {
  static constexpr int kShiftOctets = 1;
  static void pack(Block& b, const Iq1Parts& p) {
    for (int i = 0; i < 16; ++i) {
      const int at = 2 * i;
      b.qs[at] = static_cast<uint8_t>(p.entry[at] & 255);
      b.qs[at + 1] = static_cast<uint8_t>(p.entry[at + 1] & 255);
      b.qh[i] = static_cast<uint8_t>(p.entry[at] >> 8 | p.below[at] << 3 |
                                     p.entry[at + 1] >> 8 << 4 | p.below[at + 1] << 7);
    }
    for (int k = 0; k < 4; ++k) {
      int bits = (p.d.bits() >> 4 * k & 15) << 12;
      for (int g = 0; g < 4; ++g) bits |= p.scale[4 * k + g] << 3 * g;
      b.scales[2 * k] = static_cast<uint8_t>(bits & 255);
      b.scales[2 * k + 1] = static_cast<uint8_t>(bits >> 8);
    }
  }
};

}  // namespace

extern const Encoder iq1_m_encoder;
constinit const Encoder iq1_m_encoder = Iq1Grid<IQ1_M>::encoder();

}  // namespace nibble::quant::NIBBLE_ISA
