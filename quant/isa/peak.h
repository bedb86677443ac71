// The most that the instruction set can do, for a roof to measure products by. 8-bit multiply-adds:
// twelve sums in registers, so that no one waits for another (Zen 4: latency 4, two a cycle).
// Reading: loads as wide as there are, since the narrower they are the fewer bytes a core asks for
// ahead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>
#endif

namespace nibble::quant::NIBBLE_ISA {

#if defined(__AVX512VNNI__) && defined(__AVX512F__)
struct PeakSum {  // products of four neighbours added in 32 bits at once
  __m512i sum = _mm512_setzero_si512();
  static constexpr int kProducts = 64;
  [[gnu::always_inline]] void add(__m512i a, __m512i b) {
    asm volatile("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  }
  static __m512i codes(char x) { return _mm512_set1_epi8(x); }
};
#elif defined(__AVXVNNI__)
struct PeakSum {
  __m256i sum = _mm256_setzero_si256();
  static constexpr int kProducts = 32;
  [[gnu::always_inline]] void add(__m256i a, __m256i b) {
    asm volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
  }
  static __m256i codes(char x) { return _mm256_set1_epi8(x); }
};
#elif defined(__AVX2__)
struct PeakSum {  // pairs in 16 bits, pairs of these in 32
  __m256i sum = _mm256_setzero_si256();
  static constexpr int kProducts = 32;
  [[gnu::always_inline]] void add(__m256i a, __m256i b) {
    __m256i pairs;
    asm volatile("vpmaddubsw %3, %2, %1; vpmaddwd %4, %1, %1; vpaddd %1, %0, %0"
                 : "+x"(sum), "=&x"(pairs)
                 : "x"(a), "x"(b), "x"(_mm256_set1_epi16(1)));
  }
  static __m256i codes(char x) { return _mm256_set1_epi8(x); }
};
#elif defined(__ARM_FEATURE_MATMUL_INT8)
struct PeakSum {  // two rows of eight times two
  int32x4_t sum = vdupq_n_s32(0);
  static constexpr int kProducts = 32;
  [[gnu::always_inline]] void add(int8x16_t a, int8x16_t b) {
    asm volatile("usmmla %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(a), "w"(b));
  }
  static int8x16_t codes(int8_t x) { return vdupq_n_s8(x); }
};
#elif defined(__ARM_FEATURE_DOTPROD)
struct PeakSum {
  int32x4_t sum = vdupq_n_s32(0);
  static constexpr int kProducts = 16;
  [[gnu::always_inline]] void add(int8x16_t a, int8x16_t b) {
    asm volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(a), "w"(b));
  }
  static int8x16_t codes(int8_t x) { return vdupq_n_s8(x); }
};
#else
struct PeakSum {  // what the compiler makes of plain vectors
  typedef int32_t Words __attribute__((vector_size(16)));
  Words sum = {};
  static constexpr int kProducts = 4;
  [[gnu::always_inline]] void add(Words a, Words b) {
    sum += a * b;
#if defined(__SSE2__)
    asm volatile("" : "+x"(sum));
#else
    asm volatile("" : "+w"(sum));
#endif
  }
  static Words codes(char x) { return Words{} + x; }
};
#endif

// Does them `rounds` times and returns how many multiply-adds that were.
inline int64_t peak_multiply_adds(int64_t rounds) {
  constexpr int kSums = 12;
  PeakSum s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;  // g++ 12 keeps an array in memory
  const auto a = PeakSum::codes(5), b = PeakSum::codes(3);
  for (int64_t r = 0; r < rounds; ++r) {
    s0.add(a, b), s1.add(a, b), s2.add(a, b), s3.add(a, b), s4.add(a, b), s5.add(a, b);
    s6.add(a, b), s7.add(a, b), s8.add(a, b), s9.add(a, b), s10.add(a, b), s11.add(a, b);
  }
  return rounds * kSums * PeakSum::kProducts;
}

// Reads n_bytes, a multiple of 256, in address order; returns the sum of their 64-bit words.
inline uint64_t peak_read(const std::byte* data, size_t n_bytes) {
#if defined(__AVX512F__)
  constexpr size_t kVector = 64;
#elif defined(__AVX2__)
  constexpr size_t kVector = 32;
#else
  constexpr size_t kVector = 16;
#endif
  typedef uint64_t Words __attribute__((vector_size(kVector)));
  Words sums[4] = {};
  for (size_t at = 0; at < n_bytes; at += sizeof sums)
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      Words words;
      std::memcpy(&words, data + at + i * kVector, kVector);
      sums[i] += words;
    }
  const Words all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  uint64_t sum = 0;
  for (size_t i = 0; i < kVector / sizeof sum; ++i) sum += all[i];
  return sum;
}

}  // namespace nibble::quant::NIBBLE_ISA
