// 256-bit VNNI in place of AVX2's multiplications: unsigned codes, all 8 bits of them, times int8,
// four products added in 32 bits at once. AVX-VNNI's encoding or AVX-512VL's; they compute the
// same.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "quant/isa/avx2_bits.h"

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
inline constexpr int kProductsOffset = F::kOffsetShift;
template <class F>
using ProductSimd = Simd;

}  // namespace nibble::quant::NIBBLE_ISA
