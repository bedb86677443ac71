// Row products of 256-weight blocks with VNNI, two rows at a time; see avx512_gemv.h.
#pragma once

#include <immintrin.h>

#include <type_traits>

#include "quant/isa/avx512_gemv.h"
#include "quant/isa/avx512_heads.h"
#include "quant/kernels/unpack256.h"

namespace nibble::quant::NIBBLE_ISA {

inline __m128 halves_added(__m256 v) {
  return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
}

// What the outputs of two rows have been summed up to, in a vector each.
struct SumsApart {
  __m512 row[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  void store(float* first, float* second) const {
    const __m512 zero = _mm512_setzero_ps();
    const __m128 sums = sums_of_4(row[0], row[1], zero, zero);
    *first = sums[0];
    *second = sums[1];
  }
};
// The same, together: every 128 bits of of_codes hold two sums of the first row and two of the
// second; row i's other sums are in half i.
struct SumsTogether {
  __m512 of_codes = _mm512_setzero_ps(), others = _mm512_setzero_ps();
  void store(float* first, float* second) const {
    const __m128 codes = _mm_add_ps(halves_added(_mm512_castps512_ps256(of_codes)),
                                    halves_added(_mm512_extractf32x8_ps(of_codes, 1)));
    const __m128 two = _mm_hadd_ps(halves_added(_mm512_castps512_ps256(others)),
                                   halves_added(_mm512_extractf32x8_ps(others, 1)));
    const __m128 twos = _mm_add_ps(codes, two), sums = _mm_hadd_ps(twos, twos);
    *first = sums[0];
    *second = sums[1];
  }
};

// Values of groups 4 half .. 4 half + 3, 32 each: the first 16 of each group, the other 16.
struct GroupHalves {
  __m512i first, second;
  GroupHalves(const Row256& a, int half) {
    // weave() undoes itself
    Simd::weave(_mm512_load_si512(a.q[2 * half]), _mm512_load_si512(a.q[2 * half + 1]), first,
                second);
  }
};

// One block of 256 of each of two rows in the order in which its nibbles lie, that of GroupHalves:
// the values, which the rows share, are turned around instead. For formats with groups of 32.
template <class F>
struct HalvesWeights {
  using Block = typename F::Block;
  using Sums = SumsApart;
  __m512i q[2][4], scale[2][2];  // scale[i][h]: of group 4 h + j in lanes 4 j .. 4 j + 3
  __m128i groups[2];
  float d[2];

  HalvesWeights(const Block& first, const Block& second) {
    static_assert(F::kGroup == 32 && F::kOffsetShift >= 0 && !F::kHasMin);
    const Block* blocks[2] = {&first, &second};
    const __m128i four = _mm_set_epi32(0x03030303, 0x02020202, 0x01010101, 0);
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
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

  [[gnu::always_inline]] void add_to(Sums& acc, const Row256& a) const {
    const GroupHalves x[2] = {{a, 0}, {a, 1}};
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const __m128i offset = _mm_madd_epi16(groups[i], load128(a.neg_sum32));
      __m512i sum = _mm512_zextsi128_si512(_mm_slli_epi32(offset, F::kOffsetShift));
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        __m512i p = _mm512_dpbusd_epi32(_mm512_setzero_si512(), q[i][2 * h], x[h].first);
        p = _mm512_dpbusd_epi32(p, q[i][2 * h + 1], x[h].second);
        sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(p, scale[i][h]));
      }
      acc.row[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(d[i] * a.d), acc.row[i]);
    }
  }
};

// One block of 256 of each of two rows in the order of Row256, where four products do not fit 16
// bits.
template <class F>
struct WideWeights {
  using Block = typename F::Block;
  using Sums = SumsApart;
  __m512i q[2][4], scale[2][4];
  RowWords<F> words;
  __m128 factors;

  WideWeights(const Block& first, const Block& second)
      : words(first, second), factors(factors_of_two<F>(first, second)) {
    static_assert(F::kOffsetShift >= 0 && !F::kHasMin);
    const Block* blocks[2] = {&first, &second};
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      unpack_row256<F, Simd>(*blocks[i], q[i]);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) scale[i][j] = scales_of(i, j);
    }
  }

  [[gnu::always_inline]] void add_to(Sums& acc, const Row256& a) const {
    const __m128 d = _mm_mul_ps(factors, _mm_set1_ps(a.d));
    const __m512i offset =
        _mm512_slli_epi32(weighted_sums<F::kGroup == 16>(words.scales, a, 0x0f0f), F::kOffsetShift);
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      __m512i sum = _mm512_zextsi256_si512(_mm512_extracti64x4_epi64(offset, i));
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const __m512i p =
            _mm512_dpbusd_epi32(_mm512_setzero_si512(), q[i][j], _mm512_load_si512(a.q[j]));
        sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(p, scale[i][j]));
      }
      acc.row[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(d[2 * i]), acc.row[i]);
    }
  }

 private:
  // Of row i, beside the sums of four products of runs q[j].
  __m512i scales_of(int i, int j) const {
    const __m512i twice = _mm512_permutexvar_epi16(scale_places<F::kGroup>(j), words.scales);
    const __m512i of_row =
        i ? _mm512_unpackhi_epi16(twice, twice) : _mm512_unpacklo_epi16(twice, twice);
    return _mm512_srai_epi32(of_row, 16);
  }
};

// The same where they fit.
template <class F>
struct BlockWeights {
  using Block = typename F::Block;
  using Sums = SumsTogether;
  static constexpr bool k16 = F::kGroup == 16;
  __m512i q[2][4], scale[4];
  RowWords<F> words;
  __m128 factors;

  BlockWeights(const Block& first, const Block& second)
      : words(first, second), factors(factors_of_two<F>(first, second)) {
    const Block* blocks[2] = {&first, &second};
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) unpack_row256<F, Simd>(*blocks[i], q[i]);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      scale[j] = _mm512_permutexvar_epi16(scale_places<F::kGroup>(j), words.scales);
  }

  [[gnu::always_inline]] void add_to(Sums& acc, const Row256& a) const {
    const __m128 f = _mm_mul_ps(factors, _mm_set1_ps(a.d));
    __m512i sum = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const __m512i x = in_register(_mm512_load_si512(a.q[j])), zero = _mm512_setzero_si512();
      const __m512i p = _mm512_dpbusd_epi32(zero, q[0][j], x);
      const __m512i r = _mm512_dpbusd_epi32(zero, q[1][j], x);
      sum = _mm512_dpwssd_epi32(sum, _mm512_packs_epi32(p, r), scale[j]);
    }
    const __m512 d = _mm512_broadcast_f32x4(_mm_moveldup_ps(f));
    acc.of_codes = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), d, acc.of_codes);
    if constexpr (F::kHasMin) {
      add_others(acc, weighted_sums<k16>(words.minima, a, 0xf0f0), f, 1);
    } else if constexpr (F::kOffsetShift >= 0) {
      const __m512i sums = weighted_sums<k16>(words.scales, a, 0x0f0f);
      add_others(acc, _mm512_slli_epi32(sums, F::kOffsetShift), f, 0);
    }
  }

 private:
  static_assert(!F::kHasMin || F::kOffsetShift < 0);
  // at: 0 for d, 1 for dmin.
  [[gnu::always_inline]] static void add_others(Sums& acc, __m512i sums, __m128 f, int at) {
    const __m512i of_rows = _mm512_inserti64x4(_mm512_set1_epi32(at), _mm256_set1_epi32(at + 2), 1);
    const __m512 factor = _mm512_permutexvar_ps(of_rows, _mm512_castps128_ps512(f));
    acc.others = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), factor, acc.others);
  }
};

template <class F>
inline constexpr bool kStoredInHalves = requires(const typename F::Block& block,
                                                 Simd::Bytes (&q)[4]) {
  F::template unpack_halves<Simd>(block, q);
};
template <class F>
using WeightsOf = std::conditional_t<
    kStoredInHalves<F>, HalvesWeights<F>,
    std::conditional_t<(4 * 127 * F::kMaxCode > 32767), WideWeights<F>, BlockWeights<F>>>;

// Rows first and second, which may be the same.
template <class F, int kTokens>
void gemv256_rows(const RowProduct& p, int first, int second) {
  using Block = typename F::Block;
  const std::byte *w = p.w + first * p.row_bytes, *v = p.w + second * p.row_bytes;
  const std::byte* ahead = v + p.row_bytes + kPrefetch;
  const int n_blocks = p.n_cols / 256, n_tokens = n_tokens_of<kTokens>(p);
  typename WeightsOf<F>::Sums acc[kMostTokens<kTokens>];
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<sizeof(Block) * 2>(ahead + sizeof(Block) * 2 * b);
    const WeightsOf<F> weights(reinterpret_cast<const Block*>(w)[b],
                               reinterpret_cast<const Block*>(v)[b]);
    for (int t = 0; t < n_tokens; ++t)
      weights.add_to(acc[t], reinterpret_cast<const Row256*>(p.x + t * p.x_bytes)[b]);
  }
  for (int t = 0; t < n_tokens; ++t) {
    float* y = p.y + t * p.y_stride;
    acc[t].store(y + first, y + second);
  }
}

template <class F>
void gemv256(const RowProduct& p) {
  for (int r = 0; r < p.n_rows; r += 2) {
    const int second = r + 1 < p.n_rows ? r + 1 : r;
    p.n_tokens == 1 ? gemv256_rows<F, 1>(p, r, second) : gemv256_rows<F, 0>(p, r, second);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
