// Panel times tile with 256-bit vectors: 16 rows x 4 tokens at a time.
#pragma once

#include <immintrin.h>

#if defined(NIBBLE_ISA_avxvnni) || defined(NIBBLE_ISA_avx512vnni)
#include "quant/isa/vnni256.h"
#else
#include "quant/isa/avx2_tile.h"
#endif
#include "quant/isa/four_tokens.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
[[gnu::always_inline]] inline __m256 offset_floats(__m256i s, int32_t neg_sum) {
  if constexpr (F::kOffsetShift >= 0 && !kSplitsSigns<F>)
    s = _mm256_add_epi32(s, _mm256_slli_epi32(_mm256_set1_epi32(neg_sum), F::kOffsetShift));
  return _mm256_cvtepi32_ps(s);
}

template <class F, int N, class Panel>
[[gnu::always_inline]] inline void add_block32(const Panel& panel, const Tile32& tile, int first,
                                               Sums& acc) {
  __m256i s[N][2];
  dot_tokens<F, 8>(panel, 0, tile.q[first], s);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    const __m256 da = _mm256_set1_ps(tile.d[first + i]);
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      float* out = acc[first + i] + 8 * h;
      __m256 sum =
          _mm256_fmadd_ps(offset_floats<F>(s[i][h], tile.neg_sum[first + i]),
                          _mm256_mul_ps(_mm256_load_ps(panel.d + 8 * h), da), _mm256_load_ps(out));
      if constexpr (F::kHasMin)
        sum = _mm256_fnmadd_ps(_mm256_load_ps(panel.m + 8 * h),
                               _mm256_set1_ps(tile.d_neg_sum[first + i]), sum);
      _mm256_store_ps(out, sum);
    }
  }
}

// Tokens first .. first + N - 1 of one block of 256.
template <class F, int N, class Panel>
[[gnu::always_inline]] inline void add_block256(const Panel& panel, const Tile256& tile, int first,
                                                Sums& total) {
  constexpr bool k16 = F::kGroup == 16;
  alignas(32) float acc[N][kPanelRows] = {};
  if constexpr (F::kHasMin) {
    for (int i = 0; i < N; ++i)
      for (int h = 0; h < 2; ++h) {
        __m256i sum = _mm256_setzero_si256();
        for (int p = 0; p < 128 / F::kGroup; ++p) {
          int32_t pair;
          std::memcpy(&pair,
                      (k16 ? tile.neg_pairs16[first + i] : tile.neg_pairs32[first + i]) + 2 * p, 4);
          sum = _mm256_add_epi32(
              sum, _mm256_madd_epi16(load256(panel.min[p][8 * h]), _mm256_set1_epi32(pair)));
        }
        _mm256_store_ps(acc[i] + 8 * h,
                        _mm256_mul_ps(_mm256_load_ps(panel.dmin + 8 * h), _mm256_cvtepi32_ps(sum)));
      }
  }
  for (int g = 0; g < 256 / F::kGroup; ++g) {
    const int at = g * F::kGroup;
    __m256i s[N][2];
    dot_tokens<F, F::kGroup / 4>(panel, at / 4, tile.q[at / 32][first] + at % 32, s);
    const int32_t* neg_sum = (k16 ? tile.neg_sum16[g] : tile.neg_sum32[g]) + first;
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h)
        _mm256_store_ps(acc[i] + 8 * h, _mm256_fmadd_ps(offset_floats<F>(s[i][h], neg_sum[i]),
                                                        _mm256_load_ps(panel.scale[g] + 8 * h),
                                                        _mm256_load_ps(acc[i] + 8 * h)));
    }
  }
  for (int i = 0; i < N; ++i)
    for (int h = 0; h < 2; ++h) {
      float* out = total[first + i] + 8 * h;
      _mm256_store_ps(out, _mm256_fmadd_ps(_mm256_load_ps(acc[i] + 8 * h),
                                           _mm256_set1_ps(tile.d[first + i]), _mm256_load_ps(out)));
    }
}

}  // namespace nibble::quant::NIBBLE_ISA
