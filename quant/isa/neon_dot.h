// A panel's codes times a tile's with ARM's dot units: four products of int8 added in 32 bits at
// once (ARMv8.2 SDOT), or of an unsigned and a signed factor (ARMv8.6 I8MM's USDOT).
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

#if defined(NIBBLE_ISA_i8mm)
template <int kMaxCode>
inline constexpr bool kFlipped = false;
template <int kMaxCode, int kLane>
[[gnu::always_inline]] inline int32x4_t add_fours(int32x4_t sum, uint8x16_t w, int8x16_t a) {
  return vusdotq_laneq_s32(sum, w, a, kLane);
}
#else
// Codes that int8 does not hold enter as code - 128.
template <int kMaxCode>
inline constexpr bool kFlipped = kMaxCode > 127;
template <int kMaxCode, int kLane>
[[gnu::always_inline]] inline int32x4_t add_fours(int32x4_t sum, uint8x16_t w, int8x16_t a) {
  if constexpr (kFlipped<kMaxCode>) w = veorq_u8(w, vdupq_n_u8(128));
  return vdotq_laneq_s32(sum, vreinterpretq_s8_u8(w), a, kLane);
}
#endif

// sum[r] += n consecutive codes of row r times as many of a. n is a multiple of 16.
template <int kMaxCode>
inline void dot_panel(const uint8_t (*q)[kPanelRows][4], const int8_t* a, int n,
                      int32_t (&sum)[kPanelRows]) {
  constexpr int kVectors = kPanelRows / 4;
  int32x4_t s[kVectors], left = vdupq_n_s32(0);
  for (int v = 0; v < kVectors; ++v) s[v] = vld1q_s32(sum + 4 * v);
  for (int k = 0; k < n / 4; k += 4) {
    const int8x16_t x = vld1q_s8(a + 4 * k);
    if constexpr (kFlipped<kMaxCode>) left = vdotq_s32(left, x, vdupq_n_s8(64));
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      s[v] = add_fours<kMaxCode, 0>(s[v], vld1q_u8(q[k][4 * v]), x);
      s[v] = add_fours<kMaxCode, 1>(s[v], vld1q_u8(q[k + 1][4 * v]), x);
      s[v] = add_fours<kMaxCode, 2>(s[v], vld1q_u8(q[k + 2][4 * v]), x);
      s[v] = add_fours<kMaxCode, 3>(s[v], vld1q_u8(q[k + 3][4 * v]), x);
    }
  }
  const int32x4_t offset = vdupq_n_s32(kFlipped<kMaxCode> ? 2 * vaddvq_s32(left) : 0);
  for (int v = 0; v < kVectors; ++v) vst1q_s32(sum + 4 * v, vaddq_s32(s[v], offset));
}

}  // namespace nibble::quant::NIBBLE_ISA
