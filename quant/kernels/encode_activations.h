// n floats to int8 codes with one scale: d = max|x| / 127, code = x / d to the nearest integer,
// ties to even. A block with an infinity or NaN gets d = NaN, so that it shows in the product; a
// block below 2^-118 counts as zero, where 127 / max|x| would not be finite.
#pragma once

#include <bit>
#include <cstdint>

#include "quant/isa/isa.h"

namespace nibble::quant::NIBBLE_ISA {

inline float encode_activations(const float* x, int n, int8_t* q) {
  uint32_t max_bits = 0;  // magnitudes order like their bits, NaN above all
  for (int i = 0; i < n; ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(x[i]) & 0x7fffffff;
    max_bits = bits > max_bits ? bits : max_bits;
  }
  const bool finite = max_bits < 0x7f800000;
  if (!finite || max_bits < 0x04800000) {
    for (int i = 0; i < n; ++i) q[i] = 0;
    return finite ? 0 : std::bit_cast<float>(0x7fc00000);
  }
  const float max = std::bit_cast<float>(max_bits), inverse = 127 / max;
  for (int i = 0; i < n; ++i) {
    const float rounded =
        x[i] * inverse + 0x1.8p23f;  // the integer stands in the low bits, |x * inverse| <= 127.01
    q[i] = static_cast<int8_t>(std::bit_cast<int32_t>(rounded) - 0x4b400000);
  }
  return max / 127;
}

}  // namespace nibble::quant::NIBBLE_ISA
