// Unsigned codes times int8 without VNNI, for row products: sums of two products in 16 bits, which
// hold up to code 129. Codes above take their signed form, code - 128, as magnitude times the other
// factor with its sign.
#pragma once

#include <immintrin.h>

namespace nibble::quant::NIBBLE_ISA {

template <class F>
inline constexpr bool kSigned = F::kMaxCode > 129;
// The signed form already stands for the weight; the others need their offset taken off.
template <class F>
inline constexpr int kOffsetLeft = kSigned<F> ? -1 : F::kOffsetShift;

template <class F>
[[gnu::always_inline]] inline __m256i pair_products(__m256i w, __m256i a) {
  if constexpr (kSigned<F>) {
    static_assert(F::kOffsetShift == 7);
    const __m256i s = _mm256_xor_si256(w, _mm256_set1_epi8(-128));
    return _mm256_maddubs_epi16(_mm256_abs_epi8(s), _mm256_sign_epi8(a, s));
  } else {
    return _mm256_maddubs_epi16(w, a);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
