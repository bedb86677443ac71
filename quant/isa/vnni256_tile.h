// A panel's codes times a tile's with 256-bit VNNI: every run in 32 bits, scales as f32.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "quant/isa/four_tokens.h"
#include "quant/isa/vnni256.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

// s[i][h]: 4 kDots codes from q of rows 8 h .. 8 h + 7 times token i's at a + 32 i, as weights.
template <class F, int kDots, int N>
[[gnu::always_inline]] inline void dot_codes(const uint8_t (*q)[kPanelRows][4], const int8_t* a,
                                             const int32_t* neg_sums, __m256i (&s)[N][2]) {
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) s[i][0] = s[i][1] = start_of<F>(neg_sums[i]);
#pragma GCC unroll 8
  for (int k = 0; k < kDots; ++k) {
    const __m256i w[2] = {load256(q[k]), load256(q[k][8])};
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      const __m256i x = broadcast_four(a + 32 * i + 4 * k);
      s[i][0] = add_fours(s[i][0], w[0], x);
      s[i][1] = add_fours(s[i][1], w[1], x);
      asm("" : "+x"(s[i][0]), "+x"(s[i][1]));  // g++ would reorder, and spill
    }
  }
}

// s[i][h]: one block of 32 of rows 8 h .. 8 h + 7, without its scale, times token first + i.
template <class F, class Panel, int N>
[[gnu::always_inline]] inline void dot_block32(const Panel& panel, const Tile32& tile, int first,
                                               __m256i (&s)[N][2]) {
  dot_codes<F, 8>(panel.q, tile.q[first], tile.neg_sum + first, s);
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
          const int16_t* sums = k16 ? tile.neg_pairs16[first + i] : tile.neg_pairs32[first + i];
          sum = _mm256_add_epi32(
              sum, _mm256_madd_epi16(load256(panel.min[p][8 * h]), broadcast_four(sums + 2 * p)));
        }
        _mm256_store_ps(acc[i] + 8 * h,
                        _mm256_mul_ps(_mm256_load_ps(panel.dmin + 8 * h), _mm256_cvtepi32_ps(sum)));
      }
  }
  for (int g = 0; g < 256 / F::kGroup; ++g) {
    const int at = g * F::kGroup;
    __m256i s[N][2];
    dot_codes<F, F::kGroup / 4>(panel.q + at / 4, tile.q[at / 32][first] + at % 32,
                                (k16 ? tile.neg_sum16[g] : tile.neg_sum32[g]) + first, s);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h)
        _mm256_store_ps(acc[i] + 8 * h, _mm256_fmadd_ps(_mm256_cvtepi32_ps(s[i][h]),
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
