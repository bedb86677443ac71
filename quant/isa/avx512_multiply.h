// Panel times tile with VNNI. Weights of 16 rows stay in registers, each token's codes are the
// broadcast memory operand of the dot, offsets stand in its initial value. Only multiplies count on
// Zen 4 (see DESIGN.md): 8 dots, one product of scales and one fma for 32 weights.
#pragma once

#include <immintrin.h>

#include "quant/isa/for_tokens.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

// The assembler is written out because g++ 12 loads broadcasts apart from the dot; +1 to 2 %.
[[gnu::always_inline]] inline void dot_broadcast(__m512i& acc, __m512i w, const int8_t* a) {
  asm("vpdpbusd %2%{1to16%}, %1, %0"
      : "+v"(acc)
      : "v"(w), "m"(*reinterpret_cast<const int8_t(*)[4]>(a)));
}
[[gnu::always_inline]] inline void dot_pairs_broadcast(__m512i& acc, __m512i w, const int16_t* a) {
  asm("vpdpwssd %2%{1to16%}, %1, %0"
      : "+v"(acc)
      : "v"(w), "m"(*reinterpret_cast<const int16_t(*)[2]>(a)));
}
[[gnu::always_inline]] inline __m512 mul_broadcast(__m512 a, const float& b) {
  __m512 out;
  asm("vmulps %2%{1to16%}, %1, %0" : "=v"(out) : "v"(a), "m"(b));
  return out;
}
// a times the powers of two d, which takes no multiplier.
[[gnu::always_inline]] inline __m512 scale_broadcast(__m512 exponents, const float& a) {
  __m512 out;
  asm("vbroadcastss %1, %0" : "=v"(out) : "m"(a));
  return _mm512_scalef_ps(out, exponents);
}
template <int kShift>
[[gnu::always_inline]] inline __m512i shifted_broadcast(const int32_t& v) {
  if constexpr (kShift < 0) return _mm512_setzero_si512();
  __m512i out;
  asm("vpslld %2, %1%{1to16%}, %0" : "=v"(out) : "m"(v), "i"(kShift));
  return out;
}

// s[i] = 4 k codes of 16 rows times token i's at a + 32 i; neg_sum[i] starts it.
template <int kShift, int kDots, int N>
[[gnu::always_inline]] inline void dot_tokens(const __m512i (&w)[kDots], const int8_t* a,
                                              const int32_t* neg_sum, __m512i (&s)[N]) {
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) s[i] = shifted_broadcast<kShift>(neg_sum[i]);
#pragma GCC unroll 8
  for (int k = 0; k < kDots; ++k) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) dot_broadcast(s[i], w[k], a + 32 * i + 4 * k);
  }
}

// Tokens first .. first + N - 1 of one block of 32.
template <class F, int N>
[[gnu::always_inline]] inline void add_block32(const __m512i (&w)[8],
                                               const Panel32<F::kHasMin>& panel, const Tile32& tile,
                                               int first, __m512* acc) {
  __m512i s[N];
  dot_tokens<F::kOffsetShift>(w, tile.q[first], tile.neg_sum + first, s);
  __m512 d = _mm512_load_ps(panel.d);
  if constexpr (requires { F::kPowersOfTwo; }) d = _mm512_getexp_ps(d);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    if constexpr (F::kHasMin)
      acc[i] = _mm512_fnmadd_ps(_mm512_load_ps(panel.m), _mm512_set1_ps(tile.d_neg_sum[first + i]),
                                acc[i]);
    __m512 scale;
    if constexpr (requires { F::kPowersOfTwo; })
      scale = scale_broadcast(d, tile.d[first + i]);
    else
      scale = mul_broadcast(d, tile.d[first + i]);
    acc[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(s[i]), scale, acc[i]);
  }
}

// Tokens from .. from + T - 1.
template <class F, int T>
void multiply32_tokens(const Panel32<F::kHasMin>* panel, const Tile32* tile, int n_blocks, int from,
                       __mmask16 rows, float* out, size_t out_stride) {
  __m512 acc[T];
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) acc[t] = _mm512_maskz_loadu_ps(rows, out + t * out_stride);
  for (int b = 0; b < n_blocks; ++b) {
    __m512i w[8];
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) w[k] = _mm512_load_si512(panel[b].q[k]);
#pragma GCC unroll 4
    for (int t = 0; t + 4 <= T; t += 4) add_block32<F, 4>(w, panel[b], tile[b], from + t, acc + t);
    if constexpr (T % 4 != 0)
      add_block32<F, T % 4>(w, panel[b], tile[b], from + T / 4 * 4, acc + T / 4 * 4);
  }
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) _mm512_mask_storeu_ps(out + t * out_stride, rows, acc[t]);
}

// Tokens first .. first + N - 1 of one group of 16 or 32.
template <class F, int N>
[[gnu::always_inline]] inline void add_group(const __m512i (&w)[F::kGroup / 4], __m512 scale,
                                             const Tile256& tile, int g, int first, __m512* acc) {
  const int at = g * F::kGroup;
  __m512i s[N];
  dot_tokens<F::kOffsetShift>(w, tile.q[at / 32][first] + at % 32,
                              (F::kGroup == 16 ? tile.neg_sum16[g] : tile.neg_sum32[g]) + first, s);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) acc[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(s[i]), scale, acc[i]);
}

// acc[t] = dmin * sum of group minima times negated sums of codes, or zero.
template <class F, int T>
[[gnu::always_inline]] inline void start_block256(const Panel256<F::kGroup, F::kHasMin>& panel,
                                                  const Tile256& tile, int from, __m512 (&acc)[T]) {
  if constexpr (F::kHasMin) {
    constexpr int kPairs = 128 / F::kGroup;
    __m512i min[kPairs];
#pragma GCC unroll 8
    for (int p = 0; p < kPairs; ++p) min[p] = _mm512_load_si512(panel.min[p]);
    const __m512 dmin = _mm512_load_ps(panel.dmin);
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) {
      __m512i sum = _mm512_setzero_si512();
#pragma GCC unroll 8
      for (int p = 0; p < kPairs; ++p)
        dot_pairs_broadcast(
            sum, min[p],
            (F::kGroup == 16 ? tile.neg_pairs16[from + t] : tile.neg_pairs32[from + t]) + 2 * p);
      acc[t] = _mm512_mul_ps(dmin, _mm512_cvtepi32_ps(sum));
    }
  } else {
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) acc[t] = _mm512_setzero_ps();
  }
}

template <class F, int T>
void multiply256_tokens(const Panel256<F::kGroup, F::kHasMin>* panel, const Tile256* tile,
                        int n_blocks, int from, __mmask16 rows, float* out, size_t out_stride) {
  constexpr int kDots = F::kGroup / 4;
  alignas(64) float total[T][kPanelRows];
  for (int t = 0; t < T; ++t)
    _mm512_store_ps(total[t], _mm512_maskz_loadu_ps(rows, out + t * out_stride));
  for (int b = 0; b < n_blocks; ++b) {
    __m512 acc[T];
    start_block256<F>(panel[b], tile[b], from, acc);
    for (int g = 0; g < 256 / F::kGroup; ++g) {
      __m512i w[kDots];
#pragma GCC unroll 8
      for (int k = 0; k < kDots; ++k) w[k] = _mm512_load_si512(panel[b].q[g * kDots + k]);
      const __m512 scale = _mm512_load_ps(panel[b].scale[g]);
#pragma GCC unroll 4
      for (int t = 0; t + 4 <= T; t += 4) add_group<F, 4>(w, scale, tile[b], g, from + t, acc + t);
      if constexpr (T % 4 != 0)
        add_group<F, T % 4>(w, scale, tile[b], g, from + T / 4 * 4, acc + T / 4 * 4);
    }
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t)
      _mm512_store_ps(total[t], _mm512_fmadd_ps(acc[t], _mm512_set1_ps(tile[b].d[from + t]),
                                                _mm512_load_ps(total[t])));
  }
  for (int t = 0; t < T; ++t)
    _mm512_mask_storeu_ps(out + t * out_stride, rows, _mm512_load_ps(total[t]));
}

// out[t * out_stride + r] += sums, for t < n_tokens, r < n_rows.
template <class F>
void multiply32(const Panel32<F::kHasMin>* panel, const Tile32* tile, int n_blocks, int n_rows,
                int n_tokens, float* out, size_t out_stride) {
  const auto rows = static_cast<__mmask16>((1u << n_rows) - 1);
  for_tokens<kTileTokens>(n_tokens, [&](int t, auto n) {
    multiply32_tokens<F, decltype(n)::value>(panel, tile, n_blocks, t, rows, out + t * out_stride,
                                             out_stride);
  });
}
template <class F>
void multiply256(const Panel256<F::kGroup, F::kHasMin>* panel, const Tile256* tile, int n_blocks,
                 int n_rows, int n_tokens, float* out, size_t out_stride) {
  const auto rows = static_cast<__mmask16>((1u << n_rows) - 1);
  for_tokens<kTileTokens>(n_tokens, [&](int t, auto n) {
    multiply256_tokens<F, decltype(n)::value>(panel, tile, n_blocks, t, rows, out + t * out_stride,
                                              out_stride);
  });
}

}  // namespace nibble::quant::NIBBLE_ISA
