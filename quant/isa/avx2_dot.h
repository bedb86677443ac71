// Unsigned codes times int8 without VNNI, for row products: sums of two products in 16 bits, which
// hold up to code 129. Codes above are unpacked in their signed form, code - 128, and enter as
// magnitude times the other factor with its sign.
#pragma once

#include <immintrin.h>

#include <type_traits>

#if defined(NIBBLE_ISA_avxvnni) || defined(NIBBLE_ISA_avx512vnni)
#include "quant/isa/vnni256.h"
#endif

namespace nibble::quant::NIBBLE_ISA {

template <class F>
inline constexpr bool kSigned = F::kMaxCode > 129;
// The signed form already stands for the weight; the others need their offset taken off.
template <class F>
inline constexpr int kOffsetLeft = kSigned<F> ? -1 : F::kOffsetShift;

// Codes of eight bits come out as code - 128.
struct SignedSimd : Simd {
  static Bytes table16(const void* p) { return Simd::flip(Simd::table16(p), 128); }
  static Bytes flip(Bytes codes, int) { return codes; }
};
// What pair_products takes is unpacked with.
template <class F>
using PairSimd = std::conditional_t<kSigned<F>, SignedSimd, Simd>;

template <class F>
[[gnu::always_inline]] inline __m256i pair_products(__m256i w, __m256i a) {
  if constexpr (kSigned<F>) {
    static_assert(F::kOffsetShift == 7);
    return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(a, w));
  } else {
    return _mm256_maddubs_epi16(w, a);
  }
}

// 32 codes, to be multiplied with as many values a, whose magnitudes are size: sums of two products
// in 16 bits. What is signed is a factor with the sign of the other one.
struct Run {
  __m256i codes;
  __m256i products(__m256i a, __m256i) const { return _mm256_maddubs_epi16(codes, a); }
};
struct SignedRun {
  __m256i codes;
  __m256i products(__m256i a, __m256i size) const {
    return _mm256_maddubs_epi16(size, _mm256_sign_epi8(codes, a));
  }
};
struct RunAndSigns {
  __m256i codes, signs;  // signs: numbers that have them
  __m256i products(__m256i a, __m256i) const {
    return _mm256_maddubs_epi16(codes, _mm256_sign_epi8(a, signs));
  }
};

#if !defined(NIBBLE_ISA_avxvnni) && !defined(NIBBLE_ISA_avx512vnni)
// sum + pairs of 16-bit products by their factors, summed two by two.
[[gnu::always_inline]] inline __m256i add_pairs(__m256i sum, __m256i pairs, __m256i factors) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, factors));
}
// sum + codes w times a, and v times b, four by four; the offset that is left of the codes.
template <class F>
[[gnu::always_inline]] inline __m256i add_products(__m256i sum, __m256i w, __m256i a) {
  return add_pairs(sum, pair_products<F>(w, a), _mm256_set1_epi16(1));
}
template <class F>
[[gnu::always_inline]] inline __m256i add_two_products(__m256i sum, __m256i w, __m256i a, __m256i v,
                                                       __m256i b) {
  if constexpr (4 * 127 * F::kMaxCode > 32767)
    return add_products<F>(add_products<F>(sum, w, a), v, b);
  const __m256i pairs = _mm256_add_epi16(pair_products<F>(w, a), pair_products<F>(v, b));
  return add_pairs(sum, pairs, _mm256_set1_epi16(1));
}
template <class F>
inline constexpr int kProductsOffset = kOffsetLeft<F>;
template <class F>
using ProductSimd = PairSimd<F>;
#endif

}  // namespace nibble::quant::NIBBLE_ISA
