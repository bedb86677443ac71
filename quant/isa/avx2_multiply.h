// Panel times tile with 256-bit vectors: 16 rows x 4 tokens at a time.
#pragma once

#include <immintrin.h>

#if defined(NIBBLE_ISA_avxvnni) || defined(NIBBLE_ISA_avx512vnni)
#include "quant/isa/vnni256_tile.h"
#else
#include "quant/isa/avx2_tile.h"
#endif
#include "quant/isa/four_tokens.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F, int N, class Panel>
[[gnu::always_inline]] inline void add_block32(const Panel& panel, const Tile32& tile, int first,
                                               Sums& acc) {
  __m256i s[N][2];
  dot_block32<F>(panel, tile, first, s);
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    const __m256 da = _mm256_set1_ps(tile.d[first + i]);
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      float* out = acc[first + i] + 8 * h;
      __m256 sum =
          _mm256_fmadd_ps(_mm256_cvtepi32_ps(s[i][h]),
                          _mm256_mul_ps(_mm256_load_ps(panel.d + 8 * h), da), _mm256_load_ps(out));
      if constexpr (F::kHasMin)
        sum = _mm256_fnmadd_ps(_mm256_load_ps(panel.m + 8 * h),
                               _mm256_set1_ps(tile.d_neg_sum[first + i]), sum);
      _mm256_store_ps(out, sum);
    }
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
