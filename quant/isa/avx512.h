// AVX-512 with BW, DQ, VL, VBMI and VNNI, and GFNI: what formats unpack their blocks with. Bytes
// are 64 unsigned bytes; in a panel they are four consecutive codes of each of 16 rows, in a row
// product 64 codes of one row.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "quant/format.h"
#include "quant/isa/avx2_bits.h"

namespace nibble::quant::NIBBLE_ISA {

// v, loaded once: g++ would load it again for each of its uses.
[[gnu::always_inline]] inline __m512i in_register(__m512i v) {
  asm("" : "+v"(v));
  return v;
}

// The matrix over GF(2) that makes (byte >> shift) & mask of a byte: its byte 7 - i says of which
// bits bit i of the result is the parity.
consteval int64_t bit_matrix(int shift, int mask) {
  uint64_t rows = 0;
  for (int i = 0; i < 8; ++i)
    if ((mask >> i & 1) && i + shift >= 0 && i + shift < 8)
      rows |= uint64_t{1} << (i + shift) << 8 * (7 - i);
  return static_cast<int64_t>(rows);
}

struct Simd {
  using Bytes = __m512i;
  using Floats = __m512;
  using Factors = __m256;  // of four blocks: their scales, then their minima
  using Rows = const std::byte* const (&)[kPanelRows];

  static Bytes load(const void* p) { return _mm512_loadu_si512(p); }
  static void store(void* p, Bytes v) { _mm512_store_si512(p, v); }
  static void store(float* p, Floats v) { _mm512_store_ps(p, v); }
  static Bytes join(Bytes a, Bytes b) { return _mm512_or_si512(a, b); }
  static Bytes plus(Bytes a, int number) {
    return _mm512_add_epi8(a, _mm512_set1_epi8(static_cast<char>(number)));
  }
  static Bytes flip(Bytes a, int mask) {
    return _mm512_xor_si512(a, _mm512_set1_epi8(static_cast<char>(mask)));
  }
  // (byte >> kShift) & kMask; a negative shift goes left.
  template <int kShift, int kMask>
  static Bytes bits(Bytes v) {
    if constexpr (kShift > 0) v = _mm512_srli_epi16(v, kShift);
    if constexpr (kShift < 0) v = _mm512_slli_epi16(v, -kShift);
    return _mm512_and_si512(v, _mm512_set1_epi8(kMask));
  }
  // The same with one shift for the first 32 bytes and another for the rest: one instruction, on
  // ports that row products leave free.
  template <int kFirst, int kSecond, int kMask>
  static Bytes split_bits(Bytes v) {
    constexpr int64_t a = bit_matrix(kFirst, kMask), b = bit_matrix(kSecond, kMask);
    return _mm512_gf2p8affine_epi64_epi8(v, _mm512_set_epi64(b, b, b, b, a, a, a, a), 0);
  }
  static Bytes load_halves(const void* low, const void* high) {
    const __m512i first =
        _mm512_castsi256_si512(_mm256_loadu_si256(static_cast<const __m256i*>(low)));
    return _mm512_inserti64x4(first, _mm256_loadu_si256(static_cast<const __m256i*>(high)), 1);
  }
  static Floats load_floats(const float* p) { return _mm512_loadu_ps(p); }
  // Quarters 0 0 2 2 and 1 1 3 3 of two vectors, alternating between them.
  static void weave(Bytes a, Bytes b, Bytes& even, Bytes& odd) {
    even = _mm512_permutex2var_epi64(a, _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0), b);
    odd = _mm512_permutex2var_epi64(a, _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2), b);
  }
  static Bytes twice(const void* p) {
    return in_register(_mm512_broadcast_i64x4(_mm256_loadu_si256(static_cast<const __m256i*>(p))));
  }
  static Bytes table16(const void* p) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  }
  // Eight or 16 entries of a grid.
  template <class Entry, class At>
  static Bytes entries(const Entry* grid, At at) {
    const auto second = [&](int i) __attribute__((always_inline)) {
      return at(static_cast<int>(32 / sizeof(Entry)) + i);
    };
    return _mm512_inserti64x4(_mm512_castsi256_si512(load_entries(grid, at)),
                              load_entries(grid, second), 1);
  }
  // kTo + byte, or kTo - byte where its bit is set. low, high: bits of 32 bytes each.
  template <int kTo>
  static Bytes add_with_signs(Bytes v, const uint8_t* low, const uint8_t* high) {
    uint32_t minus[2];
    std::memcpy(&minus[0], low, 4);
    std::memcpy(&minus[1], high, 4);
    const __m512i to = _mm512_set1_epi8(kTo);
    return _mm512_mask_sub_epi8(_mm512_add_epi8(v, to), minus[0] | uint64_t{minus[1]} << 32, to, v);
  }
  // kTo + byte + a number for eight bytes each. low, high: four of them.
  template <int kTo>
  static Bytes add_octets(Bytes v, const uint8_t* low, const uint8_t* high) {
    const __m512i octets =
        _mm512_inserti64x4(_mm512_castsi256_si512(spread_octets(low)), spread_octets(high), 1);
    return _mm512_add_epi8(v, _mm512_add_epi8(octets, _mm512_set1_epi8(kTo)));
  }
  static Bytes lookup(Bytes table, Bytes index) { return _mm512_shuffle_epi8(table, index); }

  // Panels. 16 bytes at rows[r] + at -> out[k]: bytes 4k..4k+3 of each row.
  static void transpose(Rows rows, size_t at, Bytes (&out)[4]) {
    __m512i z[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      z[j] =
          _mm512_castsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[j] + at)));
      z[j] = _mm512_inserti32x4(
          z[j], _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[j + 4] + at)), 1);
      z[j] = _mm512_inserti32x4(
          z[j], _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[j + 8] + at)), 2);
      z[j] = _mm512_inserti32x4(
          z[j], _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[j + 12] + at)), 3);
    }
    const __m512i a = _mm512_unpacklo_epi32(z[0], z[1]), b = _mm512_unpackhi_epi32(z[0], z[1]);
    const __m512i c = _mm512_unpacklo_epi32(z[2], z[3]), d = _mm512_unpackhi_epi32(z[2], z[3]);
    out[0] = _mm512_unpacklo_epi64(a, c);
    out[1] = _mm512_unpackhi_epi64(a, c);
    out[2] = _mm512_unpacklo_epi64(b, d);
    out[3] = _mm512_unpackhi_epi64(b, d);
  }
  static Bytes dwords(Rows rows, size_t at) {
    alignas(64) uint32_t v[kPanelRows];
#pragma GCC unroll 16
    for (int r = 0; r < kPanelRows; ++r) std::memcpy(&v[r], rows[r] + at, 4);
    return _mm512_load_si512(v);
  }
  static Floats halves(Rows rows, size_t at) {
    alignas(32) uint16_t v[kPanelRows];
#pragma GCC unroll 16
    for (int r = 0; r < kPanelRows; ++r) std::memcpy(&v[r], rows[r] + at, 2);
    return _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(v)));
  }
  // 2^(byte - 128) of a byte of each row.
  static Floats powers_of_rows(Rows rows, size_t at) {
    const __m512i bytes = _mm512_and_si512(dwords(rows, at), _mm512_set1_epi32(255));
    return _mm512_scalef_ps(_mm512_set1_ps(1),
                            _mm512_cvtepi32_ps(_mm512_sub_epi32(bytes, _mm512_set1_epi32(128))));
  }
  // Half kHalf of each row's dword.
  template <int kHalf>
  static Floats dword_halves(Bytes dwords) {
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(dwords, 16 * kHalf)));
  }
  // Each row's dword: (v >> kShift) & kMask, and (v | v << kLeft) & kMask.
  template <int kShift, uint32_t kMask>
  static Bytes dword_bits(Bytes v) {
    return _mm512_and_si512(_mm512_srli_epi32(v, kShift),
                            _mm512_set1_epi32(static_cast<int>(kMask)));
  }
  template <int kLeft, uint32_t kMask>
  static Bytes dword_spread(Bytes v) {
    return dword_bits<0, kMask>(join(v, _mm512_slli_epi32(v, kLeft)));
  }
  // q + value in byte i of each row where bit 4 k + i of the row's dword is set.
  template <int k>
  static Bytes add_row_bits(Bytes q, Bytes dwords, int value) {
    const __m128i byte = _mm_set_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0);
    const __m512i spread = _mm512_shuffle_epi8(
        dwords, _mm512_broadcast_i32x4(_mm_add_epi8(byte, _mm_set1_epi8(k / 2))));
    const __mmask64 set =
        _mm512_test_epi8_mask(spread, _mm512_set1_epi32(k % 2 ? int(0x80402010) : 0x08040201));
    return _mm512_mask_add_epi8(q, set, q, _mm512_set1_epi8(static_cast<char>(value)));
  }
  // Byte kByte of each row's dword, sign-extended.
  template <int kByte>
  static Floats byte_floats(Bytes v) {
    return _mm512_cvtepi32_ps(_mm512_srai_epi32(_mm512_slli_epi32(v, 24 - 8 * kByte), 24));
  }
  // Bytes 2 kPair and 2 kPair + 1 of each row's dword as unsigned 16-bit pairs.
  template <int kPair>
  static Bytes byte_pairs(Bytes v) {
    const __m512i low = _mm512_srli_epi32(_mm512_slli_epi32(v, kPair ? 8 : 24), 24);
    const __m512i high = _mm512_srli_epi32(_mm512_slli_epi32(v, kPair ? 0 : 16), 24);
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
  }
  static Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }

  // Row products of 32-weight blocks: four consecutive ones; see avx512_four.h.
  template <int kStride>
  struct Four;
};
inline constexpr bool kHasSimd = true;

}  // namespace nibble::quant::NIBBLE_ISA

#include "quant/isa/avx2_encode.h"
#include "quant/isa/avx512_four.h"
#include "quant/isa/avx512_gemv.h"
#include "quant/isa/avx512_gemv256.h"
#include "quant/isa/avx512_multiply.h"
