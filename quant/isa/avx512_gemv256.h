// Row products of 256-weight blocks with VNNI; see avx512_gemv.h.
#pragma once

#include <immintrin.h>

#include <type_traits>

#include "quant/isa/avx512_gemv.h"
#include "quant/kernels/unpack256.h"

namespace nibble::quant::NIBBLE_ISA {

// The places of the groups' scales of row `row` in RowWords beside the sums of four products that
// packing two dot results leaves in 16-bit lanes: lane L holds four sums of run q[0] or q[2], then
// four of q[1] or q[3]. See Row256.
template <int kGroup>
inline __m512i scale_places(int row, int half) {
  constexpr int kPer = kGroup / 16;
  const auto at = [&](int group16) {
    return static_cast<int16_t>(16 * row + (8 * half + group16) / kPer) * 0x0001000100010001ll;
  };
  return _mm512_set_epi64(at(7), at(5), at(6), at(4), at(3), at(1), at(2), at(0));
}

inline __m128i load128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
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
  // unpack_scales6() of scales6.h.
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

// Values of groups 4 half .. 4 half + 3, 32 each: the first 16 of each group, the other 16.
struct GroupHalves {
  __m512i first, second;
  GroupHalves(const Row256& a, int half) {
    // weave() undoes itself
    Simd::weave(_mm512_load_si512(a.q[2 * half]), _mm512_load_si512(a.q[2 * half + 1]), first,
                second);
  }
};

// One block of 256 of each of kRows rows in the order in which its nibbles lie, that of
// GroupHalves: the values, which all rows share, are turned around instead. For formats with groups
// of 32.
template <class F, int kRows>
struct HalvesWeights {
  using Block = typename F::Block;
  __m512i q[kRows][4], scale[kRows][2];  // scale[i][h]: of group 4 h + j in lanes 4 j .. 4 j + 3
  __m128i groups[kRows];
  float d[kRows];

  HalvesWeights(const Block& first, const Block& second) {
    static_assert(F::kGroup == 32 && F::kOffsetShift >= 0 && !F::kHasMin);
    const Block* blocks[2] = {&first, &second};
    const __m128i four = _mm_set_epi32(0x03030303, 0x02020202, 0x01010101, 0);
#pragma GCC unroll 2
    for (int i = 0; i < kRows; ++i) {
      F::template unpack_halves<Simd>(*blocks[i], q[i]);
      d[i] = F::scale(*blocks[i]);
      alignas(16) int8_t of_group[16];
      F::groups(*blocks[i], of_group, nullptr);
      const __m128i bytes = load64(of_group);
      groups[i] = _mm_cvtepi8_epi16(bytes);
      scale[i][0] = _mm512_cvtepi8_epi32(_mm_shuffle_epi8(bytes, four));
      scale[i][1] =
          _mm512_cvtepi8_epi32(_mm_shuffle_epi8(bytes, _mm_add_epi8(four, _mm_set1_epi8(4))));
    }
  }

  [[gnu::always_inline]] void add_to(__m512 (&acc)[kRows], __m512&, const Row256& a) const {
    const GroupHalves x[2] = {{a, 0}, {a, 1}};
#pragma GCC unroll 2
    for (int i = 0; i < kRows; ++i) {
      const __m128i offset = _mm_madd_epi16(groups[i], load128(a.neg_sum32));
      __m512i sum = _mm512_zextsi128_si512(_mm_slli_epi32(offset, F::kOffsetShift));
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        __m512i p = _mm512_dpbusd_epi32(_mm512_setzero_si512(), q[i][2 * h], x[h].first);
        p = _mm512_dpbusd_epi32(p, q[i][2 * h + 1], x[h].second);
        sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(p, scale[i][h]));
      }
      acc[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(d[i] * a.d), acc[i]);
    }
  }
};

// One block of 256 of each of kRows rows, 1 or 2, unpacked: codes, and scales beside their sums.
template <class F, int kRows>
struct BlockWeights {
  using Block = typename F::Block;
  static constexpr bool k16 = F::kGroup == 16;
  static constexpr bool kWide = F::kMaxCode > 64;  // four products do not fit 16 bits
  __m512i q[kRows][4], scale[kRows][kWide ? 4 : 2];
  RowWords<F> words;
  __m128 factors;  // d and dmin of one row, of the other

  BlockWeights(const Block& first, const Block& second) : words(first, second) {
    const Block* blocks[2] = {&first, &second};
#pragma GCC unroll 2
    for (int i = 0; i < kRows; ++i) {
      unpack_row256<F, Simd>(*blocks[i], q[i]);
      place_scales(i);
    }
    if constexpr (F::kHasMin) {
      static_assert(offsetof(Block, dmin) == offsetof(Block, d) + sizeof(Half));
      const auto both = [](const Block& block) {
        int32_t halves;
        std::memcpy(&halves, &block.d, sizeof halves);
        return halves;
      };
      factors = _mm_cvtph_ps(_mm_insert_epi32(_mm_cvtsi32_si128(both(first)), both(second), 1));
    } else {
      factors = _mm_setr_ps(F::scale(first), 0, F::scale(second), 0);
    }
  }

  // acc[i] of row i; the minima's of both rows in its halves.
  [[gnu::always_inline]] void add_to(__m512 (&acc)[kRows], __m512& min_acc, const Row256& a) const {
    const __m512 f = _mm512_zextps128_ps512(_mm_mul_ps(factors, _mm_set1_ps(a.d)));
    __m512i x[4], offset = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) x[j] = in_register(_mm512_load_si512(a.q[j]));
    if constexpr (F::kOffsetShift >= 0)
      offset = _mm512_slli_epi32(weighted_sums<k16>(words.scales, a, 0x0f0f), F::kOffsetShift);
#pragma GCC unroll 2
    for (int i = 0; i < kRows; ++i) {
      const __m512i start = _mm512_zextsi256_si512(_mm512_extracti64x4_epi64(offset, i));
      const __m512 d = i ? _mm512_permutexvar_ps(_mm512_set1_epi32(2), f)
                         : _mm512_broadcastss_ps(_mm512_castps512_ps128(f));
      acc[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products(i, start, x)), d, acc[i]);
    }
    if constexpr (F::kHasMin) {
      const __m512i of_rows = _mm512_set_epi32(3, 3, 3, 3, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1);
      const __m512i sums = weighted_sums<k16>(words.minima, a, 0xf0f0);
      min_acc =
          _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), _mm512_permutexvar_ps(of_rows, f), min_acc);
    }
  }

 private:
  void place_scales(int i) {
    const __m512i s0 = _mm512_permutexvar_epi16(scale_places<F::kGroup>(i, 0), words.scales),
                  s1 = _mm512_permutexvar_epi16(scale_places<F::kGroup>(i, 1), words.scales);
    if constexpr (kWide) {
      scale[i][0] = _mm512_srai_epi32(_mm512_unpacklo_epi16(s0, s0), 16);
      scale[i][1] = _mm512_srai_epi32(_mm512_unpackhi_epi16(s0, s0), 16);
      scale[i][2] = _mm512_srai_epi32(_mm512_unpacklo_epi16(s1, s1), 16);
      scale[i][3] = _mm512_srai_epi32(_mm512_unpackhi_epi16(s1, s1), 16);
    } else {
      scale[i][0] = s0, scale[i][1] = s1;
    }
  }
  [[gnu::always_inline]] __m512i products(int i, __m512i sum, const __m512i (&x)[4]) const {
    __m512i p[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) p[j] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), q[i][j], x[j]);
    if constexpr (kWide) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j)
        sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(p[j], scale[i][j]));
      return sum;
    }
    sum = _mm512_dpwssd_epi32(sum, _mm512_packs_epi32(p[0], p[1]), scale[i][0]);
    return _mm512_dpwssd_epi32(sum, _mm512_packs_epi32(p[2], p[3]), scale[i][1]);
  }
};

template <class F>
inline constexpr bool kStoredInHalves = requires(const typename F::Block& block,
                                                 Simd::Bytes (&q)[4]) {
  F::template unpack_halves<Simd>(block, q);
};
template <class F, int kRows>
using WeightsOf =
    std::conditional_t<kStoredInHalves<F>, HalvesWeights<F, kRows>, BlockWeights<F, kRows>>;

template <class F, int kRows, int kTokens>
void gemv256_rows(const RowProduct& p, int first) {
  using Block = typename F::Block;
  constexpr int kMost = kMostTokens<kTokens>;
  const std::byte* w = p.w + first * p.row_bytes;
  const std::byte* other = w + (kRows - 1) * p.row_bytes;
  const std::byte* ahead = w + kRows * p.row_bytes + kPrefetch;
  const int n_blocks = p.n_cols / 256, n_tokens = n_tokens_of<kTokens>(p);
  __m512 acc[kMost][kRows];
  __m512 min_acc[kMost];
  for (int t = 0; t < n_tokens; ++t) {
    min_acc[t] = _mm512_setzero_ps();
#pragma GCC unroll 2
    for (int i = 0; i < kRows; ++i) acc[t][i] = _mm512_setzero_ps();
  }
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<sizeof(Block) * kRows>(ahead + sizeof(Block) * kRows * b);
    const WeightsOf<F, kRows> weights(reinterpret_cast<const Block*>(w)[b],
                                      reinterpret_cast<const Block*>(other)[b]);
    for (int t = 0; t < n_tokens; ++t)
      weights.add_to(acc[t], min_acc[t], reinterpret_cast<const Row256*>(p.x + t * p.x_bytes)[b]);
  }
  for (int t = 0; t < n_tokens; ++t) {
#pragma GCC unroll 2
    for (int i = 0; i < kRows; ++i)
      acc[t][i] =
          _mm512_add_ps(acc[t][i], _mm512_zextps256_ps512(i ? _mm512_extractf32x8_ps(min_acc[t], 1)
                                                            : _mm512_castps512_ps256(min_acc[t])));
    store_sums(acc[t], p.y + t * p.y_stride + first);
  }
}

template <class F>
void gemv256(const RowProduct& p) {
  int r = 0;
  if (p.n_tokens == 1)
    for (; r + 2 <= p.n_rows; r += 2) gemv256_rows<F, 2, 1>(p, r);
  for (; r + 2 <= p.n_rows; r += 2) gemv256_rows<F, 2, 0>(p, r);
  for (; r < p.n_rows; ++r) gemv256_rows<F, 1, 0>(p, r);
}

}  // namespace nibble::quant::NIBBLE_ISA
