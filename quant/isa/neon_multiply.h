// Panel times tile: 16 rows x 4 tokens at a time.
#pragma once

#include <arm_neon.h>

#include <cstring>

#if defined(NIBBLE_ISA_i8mm)
#include "quant/isa/i8mm_dot.h"
#else
#include "quant/isa/neon_dot.h"
#endif
#include "quant/isa/four_tokens.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

// s[i][v] = what the products of token i start with, its negated sum at neg_sum[i].
template <class F, int N>
[[gnu::always_inline]] inline void start_sums(const int32_t* neg_sum, int32x4_t (&s)[N][4]) {
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    int32x4_t start = vdupq_n_s32(0);
    if constexpr (kPanelOffset<F> >= 0)
      start = vshlq_n_s32(vdupq_n_s32(neg_sum[i]), kPanelOffset<F>);
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) s[i][v] = start;
  }
}

template <class F, int N, class Panel>
[[gnu::always_inline]] inline void add_block32(const Panel& panel, const Tile32& tile, int first,
                                               Sums& acc) {
  int32x4_t s[N][4];
  start_sums<F>(tile.neg_sum + first, s);
  dot_tokens<F, 32>(panel.q, tile.q[first], s);
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) {
    const float32x4_t d = vld1q_f32(panel.d + 4 * v);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      float* out = acc[first + i] + 4 * v;
      float32x4_t sum =
          vfmaq_f32(vld1q_f32(out), vcvtq_f32_s32(s[i][v]), vmulq_n_f32(d, tile.d[first + i]));
      if constexpr (F::kHasMin)
        sum = vfmsq_n_f32(sum, vld1q_f32(panel.m + 4 * v), tile.d_neg_sum[first + i]);
      vst1q_f32(out, sum);
    }
  }
}

// acc[i] = minima of token first + i, or zero.
template <class F, int N>
[[gnu::always_inline]] inline void start_block256(const Panel256<F::kGroup, F::kHasMin>& panel,
                                                  const Tile256& tile, int first,
                                                  float (&acc)[N][kPanelRows]) {
  for (int i = 0; i < N; ++i)
    for (int v = 0; v < 4; ++v) {
      float32x4_t start = vdupq_n_f32(0);
      if constexpr (F::kHasMin) {
        const int16_t* neg =
            F::kGroup == 16 ? tile.neg_pairs16[first + i] : tile.neg_pairs32[first + i];
        int32x4_t sum = vdupq_n_s32(0);
        for (int p = 0; p < 128 / F::kGroup; ++p) {
          const int16x4x2_t mins = vld2_s16(panel.min[p][4 * v]);
          sum = vmlal_n_s16(sum, mins.val[0], neg[2 * p]);
          sum = vmlal_n_s16(sum, mins.val[1], neg[2 * p + 1]);
        }
        start = vmulq_f32(vld1q_f32(panel.dmin + 4 * v), vcvtq_f32_s32(sum));
      }
      vst1q_f32(acc[i] + 4 * v, start);
    }
}

// Tokens first .. first + N - 1 of one block of 256.
template <class F, int N, class Panel>
[[gnu::always_inline]] inline void add_block256(const Panel& panel, const Tile256& tile, int first,
                                                Sums& total) {
  float acc[N][kPanelRows];
  start_block256<F>(panel, tile, first, acc);
  for (int g = 0; g < 256 / F::kGroup; ++g) {
    const int at = g * F::kGroup;
    int32x4_t s[N][4];
    start_sums<F>((F::kGroup == 16 ? tile.neg_sum16[g] : tile.neg_sum32[g]) + first, s);
    dot_tokens<F, F::kGroup>(panel.q + at / 4, tile.q[at / 32][first] + at % 32, s);
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const float32x4_t scale = vld1q_f32(panel.scale[g] + 4 * v);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        float* out = acc[i] + 4 * v;
        vst1q_f32(out, vfmaq_f32(vld1q_f32(out), vcvtq_f32_s32(s[i][v]), scale));
      }
    }
  }
  for (int i = 0; i < N; ++i)
    for (int v = 0; v < 4; ++v) {
      float* out = total[first + i] + 4 * v;
      vst1q_f32(out, vfmaq_n_f32(vld1q_f32(out), vld1q_f32(acc[i] + 4 * v), tile.d[first + i]));
    }
}

}  // namespace nibble::quant::NIBBLE_ISA
