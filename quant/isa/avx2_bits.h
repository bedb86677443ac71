// Loads, bit fields and powers of two that the AVX2 shim is made of, some of which the AVX-512 one
// takes as well.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "quant/isa/half.h"

namespace nibble::quant::NIBBLE_ISA {

inline float to_float(Half h) { return _cvtsh_ss(h.bits()); }

inline __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
// Into a register: g++ would load again for each use.
inline __m256i load_once(const void* p) {
  __m256i v = load256(p);
  asm("" : "+x"(v));
  return v;
}
// Four bytes, the same in every lane of 32 bits.
[[gnu::always_inline]] inline __m256i broadcast_four(const void* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}
// What a sum of codes' products starts at, so that it is one of weights.
template <class F>
[[gnu::always_inline]] inline __m256i start_of(int32_t neg_sum) {
  if constexpr (F::kOffsetShift < 0)
    return _mm256_setzero_si256();
  else
    return _mm256_slli_epi32(_mm256_set1_epi32(neg_sum), F::kOffsetShift);
}
inline __m128i load128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
// By a broadcast and a blend: a Zen 3 inserts one upper lane a cycle.
inline __m256i load_lanes(const void* low, const void* high) {
  return _mm256_blend_epi32(_mm256_castsi128_si256(load128(low)),
                            _mm256_broadcastsi128_si256(load128(high)), 0xf0);
}
// Four bytes at first and at second, halves as floats.
inline __m128 halves_of_two(const void* first, const void* second) {
  int32_t d[2];
  std::memcpy(&d[0], first, 4);
  std::memcpy(&d[1], second, 4);
  return _mm_cvtph_ps(_mm_unpacklo_epi32(_mm_cvtsi32_si128(d[0]), _mm_cvtsi32_si128(d[1])));
}
// (byte >> kShift) & kMask; a negative shift goes left.
template <int kShift, int kMask>
inline __m256i bits256(__m256i v) {
  if constexpr (kShift > 0) v = _mm256_srli_epi16(v, kShift);
  if constexpr (kShift < 0) v = _mm256_slli_epi16(v, -kShift);
  return _mm256_and_si256(v, _mm256_set1_epi8(kMask));
}
// q + value in the bytes of which bit of spread is set. Bit 7 alone is a negative number: there the
// value is negative as well.
inline __m256i add_where(__m256i q, __m256i spread, __m256i bit, int value) {
  const __m256i values = _mm256_sign_epi8(_mm256_set1_epi8(static_cast<char>(value)), bit);
  return _mm256_add_epi8(q, _mm256_sign_epi8(values, _mm256_and_si256(spread, bit)));
}

// Entries at(0) .. at(3) of eight weights, at(0) .. at(7) of four.
template <class At>
[[gnu::always_inline]] inline __m256i load_entries(const uint64_t* grid, At at) {
  const auto two = [&](int i) __attribute__((always_inline)) {
    const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(grid + at(i)));
    return _mm_castps_si128(
        _mm_loadh_pi(_mm_castsi128_ps(low), reinterpret_cast<const __m64*>(grid + at(i + 1))));
  };
  return _mm256_set_m128i(two(2), two(0));
}
template <class At>
[[gnu::always_inline]] inline __m256i load_entries(const uint32_t* grid, At at) {
  const auto four = [&](int i) __attribute__((always_inline)) {
    const auto entry = [&](int j) { return static_cast<int32_t>(grid[at(i + j)]); };
    return _mm_setr_epi32(entry(0), entry(1), entry(2), entry(3));
  };
  return _mm256_set_m128i(four(4), four(0));
}

// Four bytes at p, each in the place of eight.
inline __m256i spread_octets(const uint8_t* p) {
  return _mm256_shuffle_epi8(
      broadcast_four(p),
      _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
}
// Byte i is -1 where bit i % 8 of it is set, else 1.
inline __m256i signs_of_bits(__m256i octets) {
  const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
  const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(octets, bit), bit);
  return _mm256_or_si256(set, _mm256_set1_epi8(1));
}

// The bits of 2^(i - 128), subnormal for 0 and 1.
struct Powers {
  uint32_t of[256];
  constexpr Powers() : of() {
    for (uint32_t i = 0; i < 256; ++i) of[i] = i < 2 ? 0x200000u << i : (i - 1) << 23;
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
