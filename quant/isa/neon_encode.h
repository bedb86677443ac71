// Activations to int8 codes: see activation_codes.h.
#pragma once

#include <arm_neon.h>

#include "quant/isa/activation_codes.h"

namespace nibble::quant::NIBBLE_ISA {

// n is a multiple of 16.
inline float encode_activations(const float* x, int n, int8_t* q) {
  uint32x4_t max = vdupq_n_u32(0);
  for (int i = 0; i < n; i += 4)
    max = vmaxq_u32(max, vreinterpretq_u32_f32(vabsq_f32(vld1q_f32(x + i))));
  const uint32_t max_bits = vmaxvq_u32(max);
  if (!has_codes(max_bits)) [[unlikely]]
    return without_codes(max_bits, n, q);
  const float largest = std::bit_cast<float>(max_bits), inverse = 127 / largest;
  const auto eight = [&](int i) {
    const auto ints = [&](int at) {
      return vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + at), inverse));
    };
    return vmovn_s16(vcombine_s16(vmovn_s32(ints(i)), vmovn_s32(ints(i + 4))));
  };
  for (int i = 0; i < n; i += 16) vst1q_s8(q + i, vcombine_s8(eight(i), eight(i + 8)));
  return largest / 127;
}

// -(sum of quads i of lo and hi), 16 quads of four codes each.
inline void neg_quad_sums(const int8_t* lo, const int8_t* hi, int32_t* out) {
  const int8x16_t minus = vdupq_n_s8(-1);
  for (int i = 0; i < 64; i += 16) {
    const int32x4_t sums = vdotq_s32(vdupq_n_s32(0), vld1q_s8(lo + i), minus);
    vst1q_s32(out + i / 4, vdotq_s32(sums, vld1q_s8(hi + i), minus));
  }
}

// -(sum of 32 codes).
inline int32_t neg_sum32(const int8_t* q) {
  const int8x16_t minus = vdupq_n_s8(-1);
  const int32x4_t sums = vdotq_s32(vdupq_n_s32(0), vld1q_s8(q), minus);
  return vaddvq_s32(vdotq_s32(sums, vld1q_s8(q + 16), minus));
}

}  // namespace nibble::quant::NIBBLE_ISA
