// What the encoders of Q4_K and Q5_K share: quant/kernels/scales6.h the other way, and nibbles.
#pragma once

#include "quant/encoders/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {

inline void pack_scales6(const int32_t* scale, const int32_t* min, uint8_t (&s)[12]) {
  for (int i = 0; i < 4; ++i) {
    s[i] = static_cast<uint8_t>(scale[i] | scale[4 + i] >> 4 << 6);
    s[4 + i] = static_cast<uint8_t>(min[i] | min[4 + i] >> 4 << 6);
    s[8 + i] = static_cast<uint8_t>((scale[4 + i] & 15) | (min[4 + i] & 15) << 4);
  }
}

// L: their layout.
template <class L>
struct Scales6 : L {
  static constexpr int kScaleLow = 0, kScaleHigh = 63;
  static void pack(typename L::Block& b, const Parts& p) {
    b.d = p.d;
    b.dmin = p.dmin;
    pack_scales6(p.scale, p.min, b.scales);
    for (int c = 0; c < 4; ++c)
      for (int i = 0; i < 32; ++i)
        b.qs[32 * c + i] = static_cast<uint8_t>((code<32>(p, 64 * c + i) & 15) |
                                                code<32>(p, 64 * c + 32 + i) << 4);
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
