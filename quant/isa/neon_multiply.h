// Panel times tile: 16 rows x 4 tokens at a time.
#pragma once

#include <arm_neon.h>

#include <cstring>

#if defined(NIBBLE_ISA_i8mm)
#include "quant/isa/i8mm_dot.h"
#else
#include "quant/isa/neon_dot.h"
#endif
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

using Sums = float[kTileTokens][kPanelRows];

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

template <class F, int N>
[[gnu::always_inline]] inline void add_block32(const Panel32<F::kHasMin>& panel, const Tile32& tile,
                                               int first, Sums& acc) {
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
template <class F, int N>
[[gnu::always_inline]] inline void add_block256(const Panel256<F::kGroup, F::kHasMin>& panel,
                                                const Tile256& tile, int first, Sums& total) {
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

// Calls add(first, number as a type) for tokens 0 .. n_tokens - 1, four at a time, then the rest.
template <int N>
struct Number {
  static constexpr int value = N;
};
template <class Add>
[[gnu::always_inline]] inline void for_tokens(int n_tokens, Add add) {
  int t = 0;
  for (; t + 4 <= n_tokens; t += 4) add(t, Number<4>{});
  if (n_tokens - t == 3) add(t, Number<3>{});
  if (n_tokens - t == 2) add(t, Number<2>{});
  if (n_tokens - t == 1) add(t, Number<1>{});
}

inline void store_rows(const Sums& sums, int n_rows, int n_tokens, float* out, size_t out_stride) {
  for (int t = 0; t < n_tokens; ++t)
    std::memcpy(out + t * out_stride, sums[t], sizeof(float) * n_rows);
}

template <class F>
void multiply32(const Panel32<F::kHasMin>* panel, const Tile32* tile, int n_blocks, int n_rows,
                int n_tokens, float* out, size_t out_stride) {
  Sums acc = {};
  for (int b = 0; b < n_blocks; ++b)
    for_tokens(
        n_tokens, [&](int t, auto n) __attribute__((always_inline)) {
          add_block32<F, decltype(n)::value>(panel[b], tile[b], t, acc);
        });
  store_rows(acc, n_rows, n_tokens, out, out_stride);
}

template <class F>
void multiply256(const Panel256<F::kGroup, F::kHasMin>* panel, const Tile256* tile, int n_blocks,
                 int n_rows, int n_tokens, float* out, size_t out_stride) {
  Sums total = {};
  for (int b = 0; b < n_blocks; ++b)
    for_tokens(
        n_tokens, [&](int t, auto n) __attribute__((always_inline)) {
          add_block256<F, decltype(n)::value>(panel[b], tile[b], t, total);
        });
  store_rows(total, n_rows, n_tokens, out, out_stride);
}

}  // namespace nibble::quant::NIBBLE_ISA
