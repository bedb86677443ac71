// Vectors of f32, as wide as the instruction set that this file is being compiled for: F has kLanes
// of them. Plain operators come from the compiler's vector types; here stands what has none.
#pragma once

#if defined(NIBBLE_ISA_avx512) || defined(NIBBLE_ISA_avx2)
#include <immintrin.h>
#elif defined(NIBBLE_ISA_neon)
#include <arm_neon.h>
#endif

#include <cstdint>
#include <cstring>
#include <utility>

#include "quant/isa/half.h"

namespace nibble::kernels::NIBBLE_ISA {

#if defined(NIBBLE_ISA_avx512)
inline constexpr int kLanes = 16;
#elif defined(NIBBLE_ISA_avx2)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif
#if defined(NIBBLE_ISA_neon)
inline constexpr bool kHasFma = true;
inline constexpr int kRegisters = 32;
#else
inline constexpr bool kHasFma = kLanes > 4;
inline constexpr int kRegisters = kLanes > 8 ? 32 : 16;
#endif
typedef float F __attribute__((vector_size(4 * kLanes)));
typedef int32_t I __attribute__((vector_size(4 * kLanes)));

inline F load(const void* p) {
  F x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
inline void store(float* p, F x) { std::memcpy(p, &x, sizeof x); }
inline F all(float x) { return x - F{}; }
// x, in a register from here on: g++ would rather load an operand again at each of its uses.
inline F kept(F x) {
#if defined(__x86_64__)
  asm("" : "+v"(x));
#elif defined(__aarch64__)
  asm("" : "+w"(x));
#endif
  return x;
}
inline F bigger(F a, F b) { return a > b ? a : b; }

// a * b + c, rounded once where the processor can.
inline F fma(F a, F b, F c) {
#if defined(NIBBLE_ISA_avx512)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(NIBBLE_ISA_avx2)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(NIBBLE_ISA_neon)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}

// Of each segment of n lanes: the sums of a's halves, then those of b's.
template <int n, size_t... i>
inline F add_halves(F a, F b, std::index_sequence<i...>) {
  return __builtin_shufflevector(a, b, (i / n * n + i % (n / 2) + i % n / (n / 2) * kLanes)...) +
         __builtin_shufflevector(a, b,
                                 (i / n * n + i % (n / 2) + n / 2 + i % n / (n / 2) * kLanes)...);
}
// Lane i: the sum of the lanes of v[i * step], i < n; in segments of n lanes, which are added
// later.
template <int n = kLanes>
[[gnu::always_inline]] inline F sums_of(const F* v, size_t step) {
  if constexpr (n == 1)
    return *v;
  else
    return add_halves<n>(sums_of<n / 2>(v, step), sums_of<n / 2>(v + n / 2 * step, step),
                         std::make_index_sequence<kLanes>());
}

// kLanes 16-bit numbers.
typedef uint16_t Words __attribute__((vector_size(2 * kLanes)));

inline Words load_words(const void* p) {
  Words words;
  std::memcpy(&words, p, sizeof words);
  return words;
}
// 2 kLanes of them. One load takes a whole cache line: rows of F16 then come from memory with 32
// GB/s on a Zen 4, with two loads a line 25.
inline void load_words(const void* p, Words& first, Words& second) {
#if defined(NIBBLE_ISA_avx512)
  const __m512i line = _mm512_loadu_si512(p);
  first = (Words)_mm512_castsi512_si256(line);
  second = (Words)_mm512_extracti64x4_epi64(line, 1);
#else
  first = load_words(p);
  second = load_words(static_cast<const char*>(p) + sizeof first);
#endif
}

inline F half_to_float(Words words) {
#if defined(NIBBLE_ISA_avx512)
  return _mm512_cvtph_ps((__m256i)words);
#elif defined(NIBBLE_ISA_avx2)
  return _mm256_cvtph_ps((__m128i)words);
#elif defined(NIBBLE_ISA_neon)
  return vcvt_f32_f16((float16x4_t)words);
#else
  F x;
  for (int i = 0; i < kLanes; ++i) x[i] = quant::NIBBLE_ISA::half_bits_to_float(words[i]);
  return x;
#endif
}
inline F bf16_to_float(Words words) {
#if defined(NIBBLE_ISA_avx512)
  return (F)_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)words), 16);
#elif defined(NIBBLE_ISA_avx2)
  return (F)_mm256_slli_epi32(_mm256_cvtepu16_epi32((__m128i)words), 16);
#elif defined(NIBBLE_ISA_neon)
  return (F)vshll_n_u16((uint16x4_t)words, 16);
#else
  F x;
  for (int i = 0; i < kLanes; ++i) x[i] = quant::NIBBLE_ISA::bf16_bits_to_float(words[i]);
  return x;
#endif
}

inline F load_half(const uint16_t* p) { return half_to_float(load_words(p)); }
inline F load_bf16(const void* p) {
#if defined(NIBBLE_ISA_avx2) && !defined(NIBBLE_ISA_avx512)
  // One shuffle of 16 bytes in both halves, where bf16_to_float takes two steps.
  const __m256i place =
      _mm256_setr_epi8(-1, -1, 0, 1, -1, -1, 2, 3, -1, -1, 4, 5, -1, -1, 6, 7,  //
                       -1, -1, 8, 9, -1, -1, 10, 11, -1, -1, 12, 13, -1, -1, 14, 15);
  const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return (F)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(words), place);
#else
  return bf16_to_float(load_words(p));
#endif
}
inline void store_half(uint16_t* p, F x) {
#if defined(NIBBLE_ISA_avx512)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
#elif defined(NIBBLE_ISA_avx2)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
#elif defined(NIBBLE_ISA_neon)
  vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x)));
#else
  for (int i = 0; i < kLanes; ++i) p[i] = quant::NIBBLE_ISA::float_to_half_bits(x[i]);
#endif
}

#if defined(NIBBLE_ISA_neon)
inline int8x8_t four_bytes(const void* p) {
  int32_t four;
  std::memcpy(&four, p, 4);
  return vreinterpret_s8_s32(vdup_n_s32(four));
}
#endif

// kLanes signed bytes, and the nibbles (p[i] >> shift & 15) - 8 of as many bytes.
inline F load_int8(const int8_t* p) {
#if defined(NIBBLE_ISA_avx512)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
#elif defined(NIBBLE_ISA_avx2)
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
#elif defined(NIBBLE_ISA_neon)
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(four_bytes(p)))));
#else
  F x;
  for (int i = 0; i < kLanes; ++i) x[i] = static_cast<float>(p[i]);
  return x;
#endif
}
inline F load_nibbles(const uint8_t* p, int shift) {
  I x;
#if defined(NIBBLE_ISA_avx512)
  x = (I)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#elif defined(NIBBLE_ISA_avx2)
  x = (I)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
#elif defined(NIBBLE_ISA_neon)
  const uint16x8_t words = vmovl_u8(vreinterpret_u8_s8(four_bytes(p)));
  x = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(words)));
#else
  for (int i = 0; i < kLanes; ++i) x[i] = p[i];
#endif
  return __builtin_convertvector((x >> shift & 15) - 8, F);
}

// x * 2^n for whole n in [-300, 300].
inline F scale_by_power(F x, F n) {
#if defined(NIBBLE_ISA_avx512)
  return _mm512_scalef_ps(x, n);
#else
  const I whole = __builtin_convertvector(n, I), half = whole >> 1;
  const I a = (half + 127) << 23, b = (whole - half + 127) << 23;
  return x * __builtin_bit_cast(F, a) * __builtin_bit_cast(F, b);
#endif
}

}  // namespace nibble::kernels::NIBBLE_ISA
