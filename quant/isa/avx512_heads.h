// What surrounds the codes in 256-weight blocks, of two rows at once.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <type_traits>

#include "quant/isa/avx512.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

// The places of the groups' scales in RowWords beside the sums of runs q[j] that packing the dot
// results of two rows leaves in 16-bit lanes: every 128 bits hold four sums of the first row's and
// four of the second's.
template <int kGroup>
inline __m512i scale_places(int j) {
  static constexpr int kRuns[8] = {0, 2, 1, 3, 4, 6, 5, 7};  // in the order of Row256
  const auto at = [j](int row, int quarter) {
    const int group16 = 2 * kRuns[2 * j + quarter / 2] + quarter % 2;
    return static_cast<int16_t>(16 * row + group16 / (kGroup / 16)) * 0x0001000100010001ll;
  };
  return _mm512_set_epi64(at(1, 3), at(0, 3), at(1, 2), at(0, 2), at(1, 1), at(0, 1), at(1, 0),
                          at(0, 0));
}

inline __m128i load64(const void* p) { return _mm_loadl_epi64(static_cast<const __m128i*>(p)); }

template <class Block>
concept PlainScales = std::is_same_v<decltype(Block::scales), int8_t[16]>;

// The groups' factors of one block of each of two rows in 16-bit words: scales of row i from word
// 16 i on, and its minima, where groups of 32 have them, from 16 i + 8 on; groups of 16 have their
// minima apart.
template <class F>
struct RowWords {
  using Block = typename F::Block;
  static constexpr bool k16 = F::kGroup == 16;
  __m512i scales, minima;

  RowWords(const Block& first, const Block& second) {
    if constexpr (!k16 && F::kHasMin) {
      scales = minima = six_bits(load128(first.scales), load128(second.scales));
    } else if constexpr (PlainScales<Block>) {
      scales = words(load128(first.scales), load128(second.scales));
    } else {
      alignas(16) int8_t scale[2][16], min[2][16];
      F::groups(first, scale[0], min[0]);
      F::groups(second, scale[1], min[1]);
      scales = words(as_stored(scale[0]), as_stored(scale[1]));
      if constexpr (F::kHasMin) minima = words(as_stored(min[0]), as_stored(min[1]));
    }
  }

 private:
  static __m512i words(__m128i first, __m128i second) {
    return _mm512_cvtepi8_epi16(_mm256_set_m128i(second, first));
  }
  static __m128i as_stored(const int8_t* p) {  // eight at a time
    return k16 ? _mm_unpacklo_epi64(load64(p), load64(p + 8)) : load64(p);
  }
  // Scales6::groups().
  static __m512i six_bits(__m128i first, __m128i second) {
    const auto bytes = [](int64_t high, int64_t low) {
      return _mm256_broadcastsi128_si256(_mm_set_epi64x(high, low));
    };
    const __m256i fields = _mm256_shuffle_epi8(_mm256_set_m128i(second, first),
                                               bytes(0x0b0a090807060504, 0x0b0a090803020100));
    const __m256i low = _mm256_multishift_epi64_epi8(bytes(0x3c342c2418100800, 0x3830282018100800),
                                                     fields),
                  top =
                      _mm256_multishift_epi64_epi8(_mm256_set1_epi64x(0x1a120a0200000000), fields);
    const __m256i kept = _mm256_and_si256(low, _mm256_set1_epi64x(0x0f0f0f0f3f3f3f3f));
    return _mm512_cvtepi8_epi16(
        _mm256_ternarylogic_epi32(kept, top, _mm256_set1_epi64x(0x3030303000000000), 0xf8));
  }
};

// Sums over groups of a factor of the group times -(sum of its values), the factors in the words of
// RowWords: row i's are in the lanes of half i.
template <bool k16>
inline __m512i weighted_sums(__m512i factors, const Row256& a, __mmask16 lanes) {
  const __m512i sums = k16 ? _mm512_broadcast_i64x4(load256(a.neg_sum16))
                           : _mm512_maskz_broadcast_i32x4(lanes, load128(a.neg_sum32));
  return _mm512_madd_epi16(factors, sums);
}

// d and dmin of the first row's block, of the second's; without minima dmin is 0.
template <class F>
inline __m128 factors_of_two(const typename F::Block& first, const typename F::Block& second) {
  using Block = typename F::Block;
  if constexpr (F::kHasMin) {
    static_assert(offsetof(Block, dmin) == offsetof(Block, d) + sizeof(Half));
    return halves_of_two(&first.d, &second.d);
  } else {
    return _mm_setr_ps(F::scale(first), 0, F::scale(second), 0);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
