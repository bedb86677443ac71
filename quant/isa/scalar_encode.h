// Activations to int8 codes: see activation_codes.h.
#pragma once

#include "quant/isa/activation_codes.h"

namespace nibble::quant::NIBBLE_ISA {

inline float encode_activations(const float* x, int n, int8_t* q) {
  uint32_t max_bits = 0;
  for (int i = 0; i < n; ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(x[i]) & 0x7fffffff;
    max_bits = bits > max_bits ? bits : max_bits;
  }
  if (!has_codes(max_bits)) [[unlikely]]
    return without_codes(max_bits, n, q);
  const float max = std::bit_cast<float>(max_bits), inverse = 127 / max;
  for (int i = 0; i < n; ++i) {
    const float rounded =
        x[i] * inverse + 0x1.8p23f;  // the integer stands in the low bits, |x * inverse| <= 127.01
    q[i] = static_cast<int8_t>(std::bit_cast<int32_t>(rounded) - 0x4b400000);
  }
  return max / 127;
}

// -(sum of quads i of lo and hi), 16 quads of four codes each.
inline void neg_quad_sums(const int8_t* lo, const int8_t* hi, int32_t* out) {
  for (int i = 0; i < 16; ++i) {
    int32_t sum = 0;
    for (int j = 4 * i; j < 4 * i + 4; ++j) sum += lo[j] + hi[j];
    out[i] = -sum;
  }
}

// -(sum of 32 codes).
inline int32_t neg_sum32(const int8_t* q) {
  int32_t sum = 0;
  for (int i = 0; i < 32; ++i) sum += q[i];
  return -sum;
}

}  // namespace nibble::quant::NIBBLE_ISA
