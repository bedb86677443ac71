// AVX2 with FMA and F16C: what formats unpack their blocks with. Bytes are 64 unsigned bytes in two
// halves; in a panel they are four consecutive codes of each of 16 rows, in a row product 64 codes
// of one row.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "quant/format.h"
#include "quant/isa/avx2_bits.h"

namespace nibble::quant::NIBBLE_ISA {

struct Simd {
  struct Bytes {
    __m256i v[2];
  };
  struct Floats {
    __m256 v[2];
  };
  using Factors = __m256;  // of four blocks: their scales, then their minima
  using Rows = const std::byte* const (&)[kPanelRows];

  static Bytes load(const void* p) {
    return {load_once(p), load_once(static_cast<const std::byte*>(p) + 32)};
  }
  static void store(void* p, Bytes b) {
    _mm256_store_si256(static_cast<__m256i*>(p), b.v[0]);
    _mm256_store_si256(static_cast<__m256i*>(p) + 1, b.v[1]);
  }
  static void store(float* p, Floats f) {
    _mm256_store_ps(p, f.v[0]);
    _mm256_store_ps(p + 8, f.v[1]);
  }
  static Bytes join(Bytes a, Bytes b) {
    return {_mm256_or_si256(a.v[0], b.v[0]), _mm256_or_si256(a.v[1], b.v[1])};
  }
  static Bytes plus(Bytes a, int number) {
    const __m256i n = _mm256_set1_epi8(static_cast<char>(number));
    return {_mm256_add_epi8(a.v[0], n), _mm256_add_epi8(a.v[1], n)};
  }
  static Bytes flip(Bytes a, int mask) {
    const __m256i m = _mm256_set1_epi8(static_cast<char>(mask));
    return {_mm256_xor_si256(a.v[0], m), _mm256_xor_si256(a.v[1], m)};
  }
  template <int kShift, int kMask>
  static Bytes bits(Bytes b) {
    return {bits256<kShift, kMask>(b.v[0]), bits256<kShift, kMask>(b.v[1])};
  }
  // The same with one shift for the first 32 bytes and another for the rest.
  template <int kFirst, int kSecond, int kMask>
  static Bytes split_bits(Bytes b) {
    return {bits256<kFirst, kMask>(b.v[0]), bits256<kSecond, kMask>(b.v[1])};
  }
  static Bytes load_halves(const void* low, const void* high) {
    return {load256(low), load256(high)};
  }
  static Floats load_floats(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static Floats first_four_times(Factors d) {
    const __m256 four = _mm256_permute2f128_ps(d, d, 0);  // then shuffles stay in their lane
    return {_mm256_permutevar_ps(four, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1)),
            _mm256_permutevar_ps(four, _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3))};
  }
  // Quarters 0 0 2 2 and 1 1 3 3 of two vectors, alternating between them.
  static void weave(Bytes a, Bytes b, Bytes& even, Bytes& odd) {
    even = {_mm256_permute2x128_si256(a.v[0], b.v[0], 0x20),
            _mm256_permute2x128_si256(a.v[1], b.v[1], 0x20)};
    odd = {_mm256_permute2x128_si256(a.v[0], b.v[0], 0x31),
           _mm256_permute2x128_si256(a.v[1], b.v[1], 0x31)};
  }
  static Bytes twice(const void* p) {
    const __m256i v = load_once(p);
    return {v, v};
  }
  static Bytes table16(const void* p) {
    const __m256i t = _mm256_broadcastsi128_si256(load128(p));
    return {t, t};
  }
  // Eight or 16 entries of a grid.
  template <class Entry, class At>
  static Bytes entries(const Entry* grid, At at) {
    const auto second = [&](int i) __attribute__((always_inline)) {
      return at(static_cast<int>(32 / sizeof(Entry)) + i);
    };
    return {load_entries(grid, at), load_entries(grid, second)};
  }
  // kTo + byte, or kTo - byte where its bit is set. low, high: bits of 32 bytes each.
  template <int kTo>
  static Bytes add_with_signs(Bytes b, const uint8_t* low, const uint8_t* high) {
    const auto half = [](__m256i v, const uint8_t* bits) {
      return _mm256_add_epi8(_mm256_sign_epi8(v, signs_of_bits(spread_octets(bits))),
                             _mm256_set1_epi8(kTo));
    };
    return {half(b.v[0], low), half(b.v[1], high)};
  }
  // kTo + byte + a number for eight bytes each. low, high: four of them.
  template <int kTo>
  static Bytes add_octets(Bytes b, const uint8_t* low, const uint8_t* high) {
    const __m256i to = _mm256_set1_epi8(kTo);
    return {_mm256_add_epi8(b.v[0], _mm256_add_epi8(spread_octets(low), to)),
            _mm256_add_epi8(b.v[1], _mm256_add_epi8(spread_octets(high), to))};
  }
  static Bytes lookup(Bytes table, Bytes index) {
    return {_mm256_shuffle_epi8(table.v[0], index.v[0]),
            _mm256_shuffle_epi8(table.v[1], index.v[1])};
  }

  // Panels. 16 bytes at rows[r] + at -> out[k]: bytes 4k..4k+3 of each row.
  static void transpose(Rows rows, size_t at, Bytes (&out)[4]) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const auto pair = [&](int j) {
        return load_lanes(rows[8 * h + j] + at, rows[8 * h + j + 4] + at);
      };
      const __m256i z0 = pair(0), z1 = pair(1), z2 = pair(2), z3 = pair(3);
      const __m256i a = _mm256_unpacklo_epi32(z0, z1), b = _mm256_unpackhi_epi32(z0, z1);
      const __m256i c = _mm256_unpacklo_epi32(z2, z3), d = _mm256_unpackhi_epi32(z2, z3);
      out[0].v[h] = _mm256_unpacklo_epi64(a, c);
      out[1].v[h] = _mm256_unpackhi_epi64(a, c);
      out[2].v[h] = _mm256_unpacklo_epi64(b, d);
      out[3].v[h] = _mm256_unpackhi_epi64(b, d);
    }
  }
  static Bytes dwords(Rows rows, size_t at) {
    alignas(32) uint32_t v[kPanelRows];
#pragma GCC unroll 16
    for (int r = 0; r < kPanelRows; ++r) std::memcpy(&v[r], rows[r] + at, 4);
    return load(v);
  }
  static Floats halves(Rows rows, size_t at) {
    alignas(32) uint16_t v[kPanelRows];
#pragma GCC unroll 16
    for (int r = 0; r < kPanelRows; ++r) std::memcpy(&v[r], rows[r] + at, 2);
    return {_mm256_cvtph_ps(load128(v)), _mm256_cvtph_ps(load128(v + 8))};
  }
  // 2^(byte - 128) of a byte of each row, as Powers has it.
  static Floats powers_of_rows(Rows rows, size_t at) {
    const Bytes bytes = dword_bits<0, 0xff>(dwords(rows, at));
    const auto half = [](__m256i v) {
      const __m256i one = _mm256_set1_epi32(1),
                    normal = _mm256_slli_epi32(_mm256_sub_epi32(v, one), 23);
      const __m256i subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(0x200000), v);
      return _mm256_castsi256_ps(_mm256_blendv_epi8(subnormal, normal, _mm256_cmpgt_epi32(v, one)));
    };
    return {half(bytes.v[0]), half(bytes.v[1])};
  }
  // Half kHalf of each row's dword.
  template <int kHalf>
  static Floats dword_halves(Bytes dwords) {
    const auto alone = [](__m256i v) {
      return kHalf ? _mm256_srli_epi32(v, 16) : _mm256_and_si256(v, _mm256_set1_epi32(0xffff));
    };
    const __m256i v =
        _mm256_permute4x64_epi64(_mm256_packus_epi32(alone(dwords.v[0]), alone(dwords.v[1])), 0xd8);
    return {_mm256_cvtph_ps(_mm256_castsi256_si128(v)),
            _mm256_cvtph_ps(_mm256_extracti128_si256(v, 1))};
  }
  // Each row's dword: (v >> kShift) & kMask, and (v | v << kLeft) & kMask.
  template <int kShift, uint32_t kMask>
  static Bytes dword_bits(Bytes v) {
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(kMask));
    return {_mm256_and_si256(_mm256_srli_epi32(v.v[0], kShift), mask),
            _mm256_and_si256(_mm256_srli_epi32(v.v[1], kShift), mask)};
  }
  template <int kLeft, uint32_t kMask>
  static Bytes dword_spread(Bytes v) {
    return dword_bits<0, kMask>(
        join(v, {_mm256_slli_epi32(v.v[0], kLeft), _mm256_slli_epi32(v.v[1], kLeft)}));
  }
  // q + value in byte i of each row where bit 4 k + i of the row's dword is set.
  template <int k>
  static Bytes add_row_bits(Bytes q, Bytes dwords, int value) {
    const __m256i byte = _mm256_broadcastsi128_si256(
        _mm_add_epi8(_mm_set_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0), _mm_set1_epi8(k / 2)));
    const __m256i bit = _mm256_set1_epi32(k % 2 ? int(0x80402010) : 0x08040201);
    return {add_where(q.v[0], _mm256_shuffle_epi8(dwords.v[0], byte), bit, value),
            add_where(q.v[1], _mm256_shuffle_epi8(dwords.v[1], byte), bit, value)};
  }
  // Byte kByte of each row's dword, sign-extended.
  template <int kByte>
  static Floats byte_floats(Bytes b) {
    const auto half = [](__m256i v) {
      return _mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_slli_epi32(v, 24 - 8 * kByte), 24));
    };
    return {half(b.v[0]), half(b.v[1])};
  }
  // Bytes 2 kPair and 2 kPair + 1 of each row's dword as unsigned 16-bit pairs.
  template <int kPair>
  static Bytes byte_pairs(Bytes b) {
    const auto half = [](__m256i v) {
      const __m256i low = _mm256_srli_epi32(_mm256_slli_epi32(v, kPair ? 8 : 24), 24);
      const __m256i high = _mm256_srli_epi32(_mm256_slli_epi32(v, kPair ? 0 : 16), 24);
      return _mm256_or_si256(low, _mm256_slli_epi32(high, 16));
    };
    return {half(b.v[0]), half(b.v[1])};
  }
  static Floats mul(Floats a, Floats b) {
    return {_mm256_mul_ps(a.v[0], b.v[0]), _mm256_mul_ps(a.v[1], b.v[1])};
  }

  // Row products of 32-weight blocks: four consecutive blocks of kStride bytes.
  template <int kStride>
  struct Four {
    const std::byte* p;
    explicit Four(const std::byte* at) : p(at) {}

    template <int kAt>  // 16 bytes of each block
    Bytes field16() const {
      return {load_lanes(p + kAt, p + kStride + kAt),
              load_lanes(p + 2 * kStride + kAt, p + 3 * kStride + kAt)};
    }
    template <int kAt>  // 32 bytes of each block
    void field32(Bytes& lo, Bytes& hi) const {
      lo = field16<kAt>();
      hi = field16<kAt + 16>();
    }
    uint8_t byte(int at) const { return static_cast<uint8_t>(p[at]); }
    uint16_t word(int at) const {
      uint16_t v;
      std::memcpy(&v, p + at, 2);
      return v;
    }
    // Numbers are gathered in general registers, which the vector units do not notice.
    template <int kAt>  // a half-precision number of each block
    Factors halves() const {
      const uint64_t four = word(kAt) | uint64_t{word(kStride + kAt)} << 16 |
                            uint64_t{word(2 * kStride + kAt)} << 32 |
                            uint64_t{word(3 * kStride + kAt)} << 48;
      return _mm256_castps128_ps256(_mm_cvtph_ps(_mm_cvtsi64_si128(static_cast<int64_t>(four))));
    }
    template <int kFirst, int kSecond>  // one of each block, then the one behind it of each
    Factors halves() const {
      static_assert(kSecond == kFirst + 2);
      const auto both = [this](int block) {
        int32_t v;
        std::memcpy(&v, p + block * kStride + kFirst, 4);
        return _mm_cvtsi32_si128(v);
      };
      return _mm256_cvtph_ps(_mm_unpacklo_epi32(_mm_unpacklo_epi16(both(0), both(1)),
                                                _mm_unpacklo_epi16(both(2), both(3))));
    }
    template <int kAt>  // 2^(byte - 128) of a byte of each block
    Factors powers() const {
      static constexpr Powers kBits;
      const auto two = [this](int block) {
        return static_cast<int64_t>(kBits.of[byte(block * kStride + kAt)] |
                                    uint64_t{kBits.of[byte((block + 1) * kStride + kAt)]} << 32);
      };
      return _mm256_castps128_ps256(_mm_castsi128_ps(_mm_set_epi64x(two(2), two(0))));
    }
    // With 16 where the bit of 32 at kAt is set.
    template <int kAt>
    void add_fifth_bits(Bytes& lo, Bytes& hi) const {
      const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
      const __m256i first = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0101010101010101, 0));
      const __m256i second = _mm256_add_epi8(first, _mm256_set1_epi8(2));
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        const std::byte* bits = p + 2 * h * kStride + kAt;
        const __m256i two =
            _mm256_blend_epi32(broadcast_four(bits), broadcast_four(bits + kStride), 0xf0);
        lo.v[h] = add_where(lo.v[h], _mm256_shuffle_epi8(two, first), bit, 16);
        hi.v[h] = add_where(hi.v[h], _mm256_shuffle_epi8(two, second), bit, 16);
      }
    }
  };
};
inline constexpr bool kHasSimd = true;

}  // namespace nibble::quant::NIBBLE_ISA

#include "quant/isa/avx2_encode.h"
#include "quant/isa/avx2_gemv256.h"
#include "quant/isa/avx2_multiply.h"
#if !defined(NIBBLE_ISA_avxvnni) && !defined(NIBBLE_ISA_avx512vnni)
#include "quant/isa/avx2_few.h"
#endif
