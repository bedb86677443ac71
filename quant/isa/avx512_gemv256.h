// Row products of 256-weight blocks with VNNI; see avx512_gemv.h.
#pragma once

#include <immintrin.h>

#include <type_traits>

#include "quant/isa/avx512_gemv.h"
#include "quant/kernels/unpack256.h"

namespace nibble::quant::NIBBLE_ISA {

// The places of the groups' scales beside the sums of four products that packing two dot results
// leaves in 16-bit lanes: lane L holds four sums of run q[0] or q[2], then four of q[1] or q[3].
// See Row256.
template <int kGroup>
inline __m512i scale_places(int half) {
  constexpr int kPer = kGroup / 16;
  const int g = 8 * half;
  const auto at = [&](int group16) {
    return static_cast<int16_t>((g + group16) / kPer) * 0x0001000100010001ll;
  };
  return _mm512_set_epi64(at(7), at(5), at(6), at(4), at(3), at(1), at(2), at(0));
}

inline __m256i words_of_16(const int8_t* p) {
  const auto half = [](const int8_t* at) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));  // as they were stored
  };
  return _mm256_cvtepi8_epi16(_mm_unpacklo_epi64(half(p), half(p + 8)));
}
inline __m256i words_of_8(const int8_t* p) {
  return _mm256_zextsi128_si256(
      _mm_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}

// Sums over groups, of 16 or 32, of a factor of the group times -(sum of its values): four lanes,
// or eight.
template <bool k16>
inline __m256i weighted_sums(__m256i factors, const Row256& a) {
  if constexpr (k16) return _mm256_madd_epi16(factors, load256(a.neg_sum16));
  return _mm256_zextsi128_si256(
      _mm_madd_epi16(_mm256_castsi256_si128(factors),
                     _mm_load_si128(reinterpret_cast<const __m128i*>(a.neg_sum32))));
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

// One block of 256 of one row in the order in which its nibbles lie, that of GroupHalves: the
// values, which all rows share, are turned around instead. For formats with groups of 32.
template <class F>
struct HalvesWeights {
  __m512i q[4], scale[2];  // scale[h]: of group 4 h + i in lanes 4 i .. 4 i + 3
  __m256i groups;
  float d;

  explicit HalvesWeights(const typename F::Block& block) : d(F::scale(block)) {
    static_assert(F::kGroup == 32 && F::kOffsetShift >= 0 && !F::kHasMin);
    F::template unpack_halves<Simd>(block, q);
    alignas(16) int8_t of_group[16];
    F::groups(block, of_group, nullptr);
    groups = words_of_8(of_group);
    const __m512i all = _mm512_cvtepi16_epi32(groups);
    const __m512i four = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    scale[0] = _mm512_permutexvar_epi32(four, all);
    scale[1] = _mm512_permutexvar_epi32(_mm512_add_epi32(four, _mm512_set1_epi32(4)), all);
  }

  [[gnu::always_inline]] void add_to(__m512& acc, __m128&, const Row256& a) const {
    const __m256i offset = _mm256_slli_epi32(weighted_sums<false>(groups, a), F::kOffsetShift);
    __m512i sum = _mm512_zextsi256_si512(offset);
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const GroupHalves x(a, h);
      __m512i p = _mm512_dpbusd_epi32(_mm512_setzero_si512(), q[2 * h], x.first);
      p = _mm512_dpbusd_epi32(p, q[2 * h + 1], x.second);
      sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(p, scale[h]));
    }
    acc = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(d * a.d), acc);
  }
};

// One block of 256 of one row, unpacked: codes, and scales beside their sums.
template <class F>
struct BlockWeights {
  static constexpr bool k16 = F::kGroup == 16;
  static constexpr bool kWide = F::kMaxCode > 64;  // four products do not fit 16 bits
  __m512i q[4], scale[kWide ? 4 : 2];
  __m256i groups, mins;
  float d, dmin;

  explicit BlockWeights(const typename F::Block& block) : d(F::scale(block)) {
    unpack_row256<F, Simd>(block, q);
    alignas(16) int8_t of_group[16], min[16];
    F::groups(block, of_group, min);
    groups = k16 ? words_of_16(of_group) : words_of_8(of_group);
    const __m512i all = _mm512_castsi256_si512(groups);
    const __m512i s0 = _mm512_permutexvar_epi16(scale_places<F::kGroup>(0), all),
                  s1 = _mm512_permutexvar_epi16(scale_places<F::kGroup>(1), all);
    if constexpr (kWide) {
      scale[0] = _mm512_srai_epi32(_mm512_unpacklo_epi16(s0, s0), 16);
      scale[1] = _mm512_srai_epi32(_mm512_unpackhi_epi16(s0, s0), 16);
      scale[2] = _mm512_srai_epi32(_mm512_unpacklo_epi16(s1, s1), 16);
      scale[3] = _mm512_srai_epi32(_mm512_unpackhi_epi16(s1, s1), 16);
    } else {
      scale[0] = s0, scale[1] = s1;
    }
    if constexpr (F::kHasMin) {
      mins = k16 ? words_of_16(min) : words_of_8(min);
      dmin = F::dmin(block);
    }
  }

  [[gnu::always_inline]] void add_to(__m512& acc, __m128& min_acc, const Row256& a) const {
    __m512i p[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      p[j] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), q[j], _mm512_load_si512(a.q[j]));
    __m512i sum = _mm512_setzero_si512();
    if constexpr (F::kOffsetShift >= 0)
      sum =
          _mm512_zextsi256_si512(_mm256_slli_epi32(weighted_sums<k16>(groups, a), F::kOffsetShift));
    if constexpr (kWide) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(p[j], scale[j]));
    } else {
      sum = _mm512_dpwssd_epi32(sum, _mm512_packs_epi32(p[0], p[1]), scale[0]);
      sum = _mm512_dpwssd_epi32(sum, _mm512_packs_epi32(p[2], p[3]), scale[1]);
    }
    acc = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(d * a.d), acc);
    if constexpr (F::kHasMin) {
      const __m256i both = weighted_sums<k16>(mins, a);
      __m128i low = _mm256_castsi256_si128(both);
      if constexpr (k16) low = _mm_add_epi32(low, _mm256_extracti128_si256(both, 1));
      min_acc = _mm_fmadd_ps(_mm_cvtepi32_ps(low), _mm_set1_ps(dmin * a.d), min_acc);
    }
  }
};

template <class F>
inline constexpr bool kStoredInHalves = requires(const typename F::Block& block,
                                                 Simd::Bytes (&q)[4]) {
  F::template unpack_halves<Simd>(block, q);
};
template <class F>
using WeightsOf = std::conditional_t<kStoredInHalves<F>, HalvesWeights<F>, BlockWeights<F>>;

template <class F, int kRows, int kTokens>
void gemv256_rows(const RowProduct& p, int first) {
  using Block = typename F::Block;
  constexpr int kMost = kMostTokens<kTokens>;
  const std::byte* w = p.w + first * p.row_bytes;
  const std::byte* ahead = w + kRows * p.row_bytes + kPrefetch;
  const int n_blocks = p.n_cols / 256, n_tokens = n_tokens_of<kTokens>(p);
  __m512 acc[kMost][kRows];
  __m128 min_acc[kMost][kRows];
  for (int t = 0; t < n_tokens; ++t)
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i)
      acc[t][i] = _mm512_setzero_ps(), min_acc[t][i] = _mm_setzero_ps();
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<sizeof(Block) * kRows>(ahead + sizeof(Block) * kRows * b);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const WeightsOf<F> weights(
          *reinterpret_cast<const Block*>(w + i * p.row_bytes + sizeof(Block) * b));
      for (int t = 0; t < n_tokens; ++t)
        weights.add_to(acc[t][i], min_acc[t][i],
                       reinterpret_cast<const Row256*>(p.x + t * p.x_bytes)[b]);
    }
  }
  for (int t = 0; t < n_tokens; ++t) {
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i)
      acc[t][i] = _mm512_add_ps(acc[t][i], _mm512_zextps128_ps512(min_acc[t][i]));
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
