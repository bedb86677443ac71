// What surrounds the codes in 256-weight blocks, of two rows at once.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "quant/isa/avx2_bits.h"

namespace nibble::quant::NIBBLE_ISA {

// Two runs of eight bytes that were written one by one: in one load they would have to wait.
inline __m128i two_eights(const int8_t* p) {
  int64_t first, second;
  std::memcpy(&first, p, 8);
  std::memcpy(&second, p + 8, 8);
  return _mm_set_epi64x(second, first);
}
// The even ones of 16 bytes as words, then the odd ones.
inline __m256i words_by_halves(__m128i bytes) {
  return _mm256_cvtepi8_epi16(
      _mm_shuffle_epi8(bytes, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15)));
}

// The scales of one row's block as words in memory, from where a load spreads them: those of 32
// weights each, or of 16.
template <int kGroup>
struct RowScales {
  int16_t run[8];
  RowScales() = default;
  explicit RowScales(const int8_t* scale) {
    int64_t eight;
    std::memcpy(&eight, scale, 8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(run), _mm_cvtepi8_epi16(_mm_cvtsi64_si128(eight)));
  }
  template <int kRun>  // beside the products of pairs
  __m256i of_run() const {
    return _mm256_set1_epi16(run[kRun]);
  }
};
template <>
struct RowScales<16> {
  alignas(32) int16_t half[2][8];  // of the first and the second half of each run
  RowScales() = default;
  explicit RowScales(const int8_t* scale) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(half), words_by_halves(two_eights(scale)));
  }
  template <int kRun>
  __m256i of_run() const {
    return _mm256_shuffle_epi8(load256(half), _mm256_set1_epi16(0x0100 + 0x0202 * kRun));
  }
};

// One row in each lane.
struct LaneHeads {
  __m256i scales;  // words: eight of each row
  void store_scales(RowScales<32> (&out)[2]) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out[0].run), scales);
  }
};

// Blocks that begin with d, dmin and 12 bytes of 6-bit scales (scales6.h).
struct SixBitHeads : LaneHeads {
  __m256i mins;    // as the scales
  __m128 factors;  // d, dmin of the first, d, dmin of the second

  SixBitHeads(const void* first, const void* second) : factors(halves_of_two(first, second)) {
    const __m256i abcc = _mm256_shuffle_epi32(load_lanes(first, second), 0xf9);
    const __m256i low = _mm256_and_si256(abcc, _mm256_set1_epi8(0x3f));
    const __m256i upper =
        _mm256_and_si256(_mm256_srlv_epi32(abcc, _mm256_setr_epi32(2, 2, 0, 4, 2, 2, 0, 4)),
                         _mm256_setr_epi32(0x30303030, 0x30303030, 0x0f0f0f0f, 0x0f0f0f0f,
                                           0x30303030, 0x30303030, 0x0f0f0f0f, 0x0f0f0f0f));
    const __m256i high = _mm256_or_si256(upper, _mm256_shuffle_epi32(upper, 0xee));
    const __m256i groups = _mm256_unpacklo_epi32(low, high), zero = _mm256_setzero_si256();
    scales = _mm256_unpacklo_epi8(groups, zero);
    mins = _mm256_unpackhi_epi8(groups, zero);
  }
  // Minima times neg, of 32 values each: a row's lanes add up to it.
  [[gnu::always_inline]] __m256i dot_minima(const int16_t (&neg)[8]) const {
    return _mm256_madd_epi16(mins, _mm256_broadcastsi128_si256(load128(neg)));
  }
  // products: factors times that of the values.
  [[gnu::always_inline]] void add_minima_to(__m256& acc, __m128 products,
                                            const int16_t (&neg)[8]) const {
    const __m256i sums = dot_minima(neg);
    const __m256 dmin = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(products),
                                                 _mm256_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3));
    acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), dmin, acc);
  }
};

// Blocks that begin with d, two bytes of the scales' upper 2 bits and four of their low nibbles;
// scales are 32 less.
struct NibbleHeads : LaneHeads {
  __m128 factors;  // d of the first, -, d of the second

  NibbleHeads(const void* first, const void* second) : factors(halves_of_two(first, second)) {
    const auto eight = [](const void* p) {
      int64_t v;
      std::memcpy(&v, p, 8);
      return _mm256_set1_epi64x(v);
    };
    // Twice, shifted by 4 the second time: then each field is at its word's bits 0 or 2.
    const __m256i both = _mm256_srlv_epi64(_mm256_blend_epi32(eight(first), eight(second), 0xf0),
                                           _mm256_setr_epi64x(0, 4, 0, 4));
    const __m256i fields =
        _mm256_shuffle_epi8(both, _mm256_broadcastsi128_si256(_mm_setr_epi8(
                                      4, 2, 12, 2, 5, 10, 13, 10, 6, 3, 14, 3, 7, 11, 15, 11)));
    const __m256i kept = _mm256_and_si256(fields, _mm256_set1_epi32(0x0c0f030f));
    scales = _mm256_sub_epi16(_mm256_maddubs_epi16(kept, _mm256_set1_epi32(0x04011001)),
                              _mm256_set1_epi16(32));
  }
};

template <class F>
inline constexpr bool kHasNibbleHeads = requires(const typename F::Block& block) {
  block.scales_l;
};

// Any blocks without minima, by what the format F says of one.
template <class F>
struct PlainHeads {
  using Block = typename F::Block;
  const Block* blocks[2];
  __m128 factors;  // d of the first, -, d of the second

  PlainHeads(const Block* first, const Block* second)
      : blocks{first, second}, factors(_mm_setr_ps(F::scale(*first), 0, F::scale(*second), 0)) {}
  void store_scales(RowScales<F::kGroup> (&out)[2]) const {
    for (int i = 0; i < 2; ++i) {
      int8_t scale[256 / F::kGroup];
      F::groups(*blocks[i], scale, nullptr);
      out[i] = RowScales<F::kGroup>(scale);
    }
  }
};

template <class F>
using HeadsOf =
    std::conditional_t<F::kHasMin, SixBitHeads,
                       std::conditional_t<kHasNibbleHeads<F>, NibbleHeads, PlainHeads<F>>>;

}  // namespace nibble::quant::NIBBLE_ISA
