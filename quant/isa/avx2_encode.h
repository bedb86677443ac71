// Activations to int8 codes: see activation_codes.h.
#pragma once

#include <immintrin.h>

#include "quant/isa/activation_codes.h"

namespace nibble::quant::NIBBLE_ISA {

inline uint32_t max_of_lanes(__m256i v) {
  __m128i m = _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0x4e));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_max_epu32(m, _mm_shuffle_epi32(m, 0xb1))));
}

// n is a multiple of 32.
inline float encode_activations(const float* x, int n, int8_t* q) {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i max = _mm256_setzero_si256();
  for (int i = 0; i < n; i += 8)
    max = _mm256_max_epu32(max, _mm256_and_si256(load256(x + i), magnitude));
  const uint32_t max_bits = max_of_lanes(max);
  if (!has_codes(max_bits)) [[unlikely]]
    return without_codes(max_bits, n, q);
  const float largest = std::bit_cast<float>(max_bits);
  const __m256 inverse = _mm256_set1_ps(127 / largest);
  const auto ints = [&](int i) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i), inverse));
  };
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);  // packing works in half vectors
  for (int i = 0; i < n; i += 32) {
    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(ints(i), ints(i + 8)),
                                             _mm256_packs_epi32(ints(i + 16), ints(i + 24)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(q + i),
                        _mm256_permutevar8x32_epi32(bytes, order));
  }
  return largest / 127;
}

inline __m256i quad_sums(const int8_t* q) {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), load256(q));
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

// -(sum of quads i of lo and hi), 16 quads of four codes each.
inline void neg_quad_sums(const int8_t* lo, const int8_t* hi, int32_t* out) {
  for (int h = 0; h < 2; ++h) {
    const __m256i sum = _mm256_add_epi32(quad_sums(lo + 32 * h), quad_sums(hi + 32 * h));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8 * h),
                        _mm256_sub_epi32(_mm256_setzero_si256(), sum));
  }
}

// -(sum of 32 codes).
inline int32_t neg_sum32(const int8_t* q) {
  const __m256i shifted = _mm256_xor_si256(load256(q), _mm256_set1_epi8(-128));  // code + 128
  const __m256i sums = _mm256_sad_epu8(shifted, _mm256_setzero_si256());
  const __m128i two =
      _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  return 32 * 128 - _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_unpackhi_epi64(two, two)));
}

}  // namespace nibble::quant::NIBBLE_ISA
