// 256-bit VNNI in place of AVX2's multiplications: unsigned codes, all 8 bits of them, times int8,
// four products added in 32 bits at once. AVX-VNNI's encoding or AVX-512VL's; they compute the
// same.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "quant/isa/avx2_bits.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

#if defined(NIBBLE_ISA_avxvnni)
[[gnu::always_inline]] inline __m256i add_fours(__m256i sum, __m256i w, __m256i a) {
  return _mm256_dpbusd_avx_epi32(sum, w, a);
}
[[gnu::always_inline]] inline __m256i add_pairs(__m256i sum, __m256i pairs, __m256i factors) {
  return _mm256_dpwssd_avx_epi32(sum, pairs, factors);
}
#else
[[gnu::always_inline]] inline __m256i add_fours(__m256i sum, __m256i w, __m256i a) {
  return _mm256_dpbusd_epi32(sum, w, a);
}
[[gnu::always_inline]] inline __m256i add_pairs(__m256i sum, __m256i pairs, __m256i factors) {
  return _mm256_dpwssd_epi32(sum, pairs, factors);
}
#endif

template <class F>
[[gnu::always_inline]] inline __m256i add_products(__m256i sum, __m256i w, __m256i a) {
  return add_fours(sum, w, a);
}
template <class F>
[[gnu::always_inline]] inline __m256i add_two_products(__m256i sum, __m256i w, __m256i a, __m256i v,
                                                       __m256i b) {
  return add_fours(add_fours(sum, w, a), v, b);
}
template <class F>
inline constexpr bool kSplitsSigns = false;
template <class F>
inline constexpr int kProductsOffset = F::kOffsetShift;
template <class F>
using ProductSimd = Simd;

// s[i][h]: 4 kDots codes from panel.q[from] of rows 8 h .. 8 h + 7 times token i's at a + 32 i.
template <class F, int kDots, class Panel, int N>
[[gnu::always_inline]] inline void dot_tokens(const Panel& panel, int from, const int8_t* a,
                                              __m256i (&s)[N][2]) {
  const auto* q = panel.q + from;
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) s[i][0] = s[i][1] = _mm256_setzero_si256();
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

}  // namespace nibble::quant::NIBBLE_ISA
