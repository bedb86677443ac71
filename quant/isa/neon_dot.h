// A panel's codes times a tile's by SDOT (ARMv8.2): four products of int8 added in 32 bits, one
// operand four bytes of a register for all lanes. Codes that int8 does not hold enter as code -
// 128, which already is the weight.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
inline constexpr int kPanelOffset = F::kMaxCode > 127 ? -1 : F::kOffsetShift;

// Codes 4 k + 4 kLane .. of 16 rows times those of N tokens.
template <class F, int kLane, int N>
[[gnu::always_inline]] inline void dot_fours(const uint8_t (*q)[kPanelRows][4],
                                             const int8x16_t (&x)[N], int32x4_t (&s)[N][4]) {
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) {
    uint8x16_t w = vld1q_u8(q[kLane][4 * v]);
    if constexpr (F::kMaxCode > 127) w = veorq_u8(w, vdupq_n_u8(128));
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i)
      s[i][v] = vdotq_laneq_s32(s[i][v], vreinterpretq_s8_u8(w), x[i], kLane);
  }
}

// s[i][v] += n codes of rows 4 v .. 4 v + 3 times token i's at a + 32 i. n is a multiple of 16.
template <class F, int n, int N>
[[gnu::always_inline]] inline void dot_tokens(const uint8_t (*q)[kPanelRows][4], const int8_t* a,
                                              int32x4_t (&s)[N][4]) {
#pragma GCC unroll 2
  for (int k = 0; k < n; k += 16, q += 4) {
    int8x16_t x[N];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) x[i] = vld1q_s8(a + 32 * i + k);
    dot_fours<F, 0>(q, x, s);
    dot_fours<F, 1>(q, x, s);
    dot_fours<F, 2>(q, x, s);
    dot_fours<F, 3>(q, x, s);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
