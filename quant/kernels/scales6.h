// The eight 6-bit scales and minima that Q4_K and Q5_K keep in 12 bytes: groups 0..3 in the low six bits of bytes
// 0..3 (scales) and 4..7 (minima); groups 4..7 have their low nibbles in bytes 8..11 and their upper bits in the two
// upper bits of bytes 0..7.
#pragma once

#include <cstdint>

namespace nibble::quant::NIBBLE_ISA {

inline void unpack_scales6(const uint8_t (&s)[12], int8_t* scale, int8_t* min) {
  for (int i = 0; i < 4; ++i) {
    scale[i] = static_cast<int8_t>(s[i] & 63);
    min[i] = static_cast<int8_t>(s[4 + i] & 63);
    scale[4 + i] = static_cast<int8_t>((s[8 + i] & 15) | (s[i] >> 6) << 4);
    min[4 + i] = static_cast<int8_t>(s[8 + i] >> 4 | (s[4 + i] >> 6) << 4);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
