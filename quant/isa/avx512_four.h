// What row products of 32-weight blocks take from four consecutive blocks of kStride bytes.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "quant/isa/avx512.h"

namespace nibble::quant::NIBBLE_ISA {

struct ByteMap {
  alignas(64) uint8_t at[64];
};

// Byte i of the result is byte map(i) of Simd::Four; see there.
template <int kStride, class Map>
consteval ByteMap map_of_four(Map map) {
  ByteMap out{};
  for (int i = 0; i < 64; ++i) {
    const int byte = map(i);
    out.at[i] = static_cast<uint8_t>(byte < 64 ? byte : byte - (4 * kStride - 32) + 64);
  }
  return out;
}
template <int kStride, int kAt>
inline constexpr ByteMap kField16 = map_of_four<kStride>([](int i) {
  return i / 16 * kStride + kAt + i % 16;
});
template <int kStride, int kFirst, int kSecond>  // two 16-bit numbers: one's four, the other's four
inline constexpr ByteMap kWords = map_of_four<kStride>([](int i) {
  return i % 8 / 2 * kStride + (i % 16 < 8 ? kFirst : kSecond) + i % 2;
});
template <int kStride, int kAt>  // 32 bits of each block, four times
inline constexpr ByteMap kField4 = map_of_four<kStride>([](int i) {
  return i / 16 * kStride + kAt + i % 4;
});
template <int kStride, int kAt>  // byte kAt of each block in the lowest byte of 32 bits
inline constexpr ByteMap kFieldByte = map_of_four<kStride>([](int i) {
  return i / 4 % 4 * kStride + kAt;
});

// Of a row's last blocks n < 4 may be there; the others are zero and are not read.
template <int kStride>
struct Simd::Four {
  static_assert(4 * kStride >= 64 && 4 * kStride <= 96);
  const std::byte* p;
  __m512i first, last;  // the first 64 bytes and the last 32; they may overlap
  explicit Four(const std::byte* at)
      : p(at),
        first(load(p)),
        last(_mm512_castsi256_si512(
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 4 * kStride - 32)))) {}
  Four(const std::byte* at, int n) : p(at) {
    const int n_bytes = n * kStride;
    first = _mm512_maskz_loadu_epi8(_bzhi_u64(~0ull, n_bytes < 64 ? n_bytes : 64), p);
    const int rest = n_bytes - (4 * kStride - 32);
    last = _mm512_castsi256_si512(
        _mm256_maskz_loadu_epi8(_bzhi_u32(~0u, rest > 0 ? rest : 0), p + 4 * kStride - 32));
  }

  __m512i pick(const ByteMap& map) const {
    return _mm512_permutex2var_epi8(first, load(map.at), last);
  }
  template <int kAt>  // 16 bytes of each block
  Bytes field16() const {
    return pick(kField16<kStride, kAt>);
  }
  template <int kAt>  // a half-precision number of each block
  Factors halves() const {
    return _mm256_castps128_ps256(_mm_cvtph_ps(words<kAt, kAt>()));
  }
  template <int kFirst, int kSecond>  // one of each block, then another of each
  Factors halves() const {
    return _mm256_cvtph_ps(words<kFirst, kSecond>());
  }
  template <int kFirst, int kSecond>
  __m128i words() const {
    constexpr int kEnd = 3 * kStride + (kFirst > kSecond ? kFirst : kSecond) + 2;
    if constexpr (kEnd <= 64)
      return _mm512_castsi512_si128(
          _mm512_permutexvar_epi8(load(kWords<kStride, kFirst, kSecond>.at), first));
    else
      return _mm512_castsi512_si128(pick(kWords<kStride, kFirst, kSecond>));
  }
  template <int kAt>  // 2^(byte - 128) of a byte of each block
  Factors powers() const {
    static_assert(3 * kStride + kAt < 64);
    const __m512i bytes =
        _mm512_maskz_permutexvar_epi8(0x1111, load(kFieldByte<kStride, kAt>.at), first);
    const __m128i power = _mm_sub_epi32(_mm512_castsi512_si128(bytes), _mm_set1_epi32(128));
    return _mm256_castps128_ps256(_mm_scalef_ps(_mm_set1_ps(1), _mm_cvtepi32_ps(power)));
  }
  // With 16 where the bit of 32 at kAt is set.
  template <int kAt>
  void add_fifth_bits(Bytes& lo, Bytes& hi) const {
    constexpr int64_t k = 0x0706050403020100, kOnes = 0x0101010101010101;
    // Shifts (mod 64) that bring each byte's own bit to 16; runs of 8 begin at bits 0 and 8, 16
    // and 24.
    constexpr int64_t kBegin[4] = {k + 60 * kOnes, k + 4 * kOnes, k + 12 * kOnes, k + 20 * kOnes};
    const __m512i bits = pick(kField4<kStride, kAt>), mask = _mm512_set1_epi8(16);
    const auto add = [&](Bytes q, int64_t even, int64_t odd) {
      const __m512i from = _mm512_set_epi64(odd, even, odd, even, odd, even, odd, even);
      return _mm512_ternarylogic_epi32(q, _mm512_multishift_epi64_epi8(from, bits), mask, 0xf8);
    };
    lo = add(lo, kBegin[0], kBegin[1]);
    hi = add(hi, kBegin[2], kBegin[3]);
  }
};

// Q8_0: 34 bytes a block, 136 together.
template <>
struct Simd::Four<34> {
  alignas(16) static constexpr std::byte kZeros[34] = {};
  const std::byte* p[4];
  explicit Four(const std::byte* at) : p{at, at + 34, at + 68, at + 102} {}
  Four(const std::byte* at, int n)
      : p{at, n > 1 ? at + 34 : kZeros, n > 2 ? at + 68 : kZeros, n > 3 ? at + 102 : kZeros} {}

  static __m512i pair(const std::byte* a, const std::byte* b) {
    const __m512i first =
        _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a)));
    return _mm512_inserti64x4(first, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)), 1);
  }
  template <int kAt>  // 32 bytes of each block
  void field32(Bytes& lo, Bytes& hi) const {
    const __m512i a = pair(p[0] + kAt, p[1] + kAt), b = pair(p[2] + kAt, p[3] + kAt);
    lo = _mm512_shuffle_i32x4(a, b, 0x88);
    hi = _mm512_shuffle_i32x4(a, b, 0xdd);
  }
  template <int kAt>
  Factors halves() const {
    const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p[0] + kAt));
    const auto word = [this](int block) {
      uint16_t v;
      std::memcpy(&v, p[block] + kAt, 2);
      return v;
    };
    const __m128i words = _mm_insert_epi16(
        _mm_insert_epi16(_mm_insert_epi16(first, word(1), 1), word(2), 2), word(3), 3);
    return _mm256_castps128_ps256(_mm_cvtph_ps(words));
  }
};
}  // namespace nibble::quant::NIBBLE_ISA
