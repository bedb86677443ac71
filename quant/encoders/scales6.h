// Packs what quant/kernels/scales6.h unpacks.
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

}  // namespace nibble::quant::NIBBLE_ISA
