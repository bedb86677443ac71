// Row products with VNNI, in the file's own layout, weights along the lanes. kRows rows go
// together: their bytes are one contiguous range, and one prefetch pointer runs through it in
// address order, since several streams are worse than one (see DESIGN.md). kTokens: 1 keeps the
// sums in registers, 0 takes as many tokens as the call has, for which each block is unpacked once.
#pragma once

#include <immintrin.h>

#include "quant/isa/row_group.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

// The sums over the lanes of four vectors, in one order whatever else is summed with them.
inline __m128 sums_of_4(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512 low = _mm512_shuffle_ps(ab, cd, 0x44), high = _mm512_shuffle_ps(ab, cd, 0xee);
  const __m512 abcd = _mm512_add_ps(low, high);
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
template <int kRows>
inline void store_sums(const __m512 (&acc)[kRows], float* y) {
  const __m512 zero = _mm512_setzero_ps();
  const __m128 sums =
      sums_of_4(acc[0], kRows > 1 ? acc[1 % kRows] : zero, kRows > 2 ? acc[2 % kRows] : zero,
                kRows > 3 ? acc[3 % kRows] : zero);
  _mm_mask_storeu_ps(y, (1 << kRows) - 1, sums);
}

// What four blocks of 32 of one token bring to every row.
template <int kShift>
struct FourBlocks {
  __m512i lo, hi, start;
  __m256 factors;  // d, then d_neg_sum
  explicit FourBlocks(const Row32& a)
      : lo(_mm512_load_si512(a.lo)), hi(_mm512_load_si512(a.hi)), factors(_mm256_load_ps(a.d)) {
    const __m512i neg = _mm512_load_si512(a.neg_sum);
    start = kShift < 0 ? _mm512_setzero_si512() : _mm512_slli_epi32(neg, kShift < 0 ? 0 : kShift);
  }
};

// What one output has been summed up to. of_factors: only its upper four lanes, the minima's,
// count.
struct RowSums {
  __m512 of_codes = _mm512_setzero_ps();
  __m256 of_factors = _mm256_setzero_ps();
  __m512 all() const {
    return _mm512_sub_ps(of_codes, _mm512_zextps128_ps512(_mm256_extractf128_ps(of_factors, 1)));
  }
};

// Four blocks of 32 of one row, unpacked; or as many as are left, the missing ones zero.
template <class F>
struct FourWeights {
  using Fours = Simd::Four<sizeof(typename F::Block)>;
  __m512i lo, hi;
  __m256 factors;
  explicit FourWeights(const Fours& blocks) : factors(F::template factors_of_four<Simd>(blocks)) {
    F::template unpack_four<Simd>(blocks, lo, hi);
  }
  static FourWeights of(const std::byte* w) { return FourWeights(Fours(w)); }
  static FourWeights of(const std::byte* w, int rest) { return FourWeights(Fours(w, rest)); }

  [[gnu::always_inline]] void add_to(RowSums& acc, const FourBlocks<F::kOffsetShift>& a) const {
    const __m512i s = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(a.start, lo, a.lo), hi, a.hi);
    const __m256 products = _mm256_mul_ps(factors, a.factors);
    const __m512i each = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    const __m512 d = _mm512_permutexvar_ps(each, _mm512_castps256_ps512(products));
    acc.of_codes = _mm512_fmadd_ps(_mm512_cvtepi32_ps(s), d, acc.of_codes);
    if constexpr (F::kHasMin) acc.of_factors = _mm256_add_ps(acc.of_factors, products);
  }
};

// Adds fours number `four` of kRows rows, first at w, to the sums of each token. rest: nothing, or
// how many blocks are left of it.
template <class F, int kRows, int kTokens, class... Rest>
[[gnu::always_inline]] inline void add_four32(const std::byte* w, int four, const RowProduct& p,
                                              RowSums (&acc)[kMostTokens<kTokens>][kRows],
                                              Rest... rest) {
  using Blocks = FourBlocks<F::kOffsetShift>;
  w += four * 4 * sizeof(typename F::Block);
  const auto* x = p.x + four * sizeof(Row32);
  if constexpr (kTokens == 1) {
    const Blocks a(*reinterpret_cast<const Row32*>(x));
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i)
      FourWeights<F>::of(w + i * p.row_bytes, rest...).add_to(acc[0][i], a);
  } else {
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const auto weights = FourWeights<F>::of(w + i * p.row_bytes, rest...);
      for (int t = 0; t < p.n_tokens; ++t)
        weights.add_to(acc[t][i], Blocks(*reinterpret_cast<const Row32*>(x + t * p.x_bytes)));
    }
  }
}

template <class F, int kRows, int kTokens>
void gemv32_rows(const RowProduct& p, int first) {
  constexpr size_t kStep = 4 * sizeof(typename F::Block);
  const std::byte* w = p.w + first * p.row_bytes;
  const std::byte* ahead = w + kRows * p.row_bytes + kPrefetch;
  const int n_fours = p.n_cols / 128, n_tokens = n_tokens_of<kTokens>(p);
  RowSums acc[kMostTokens<kTokens>][kRows];
  for (int b = 0; b < n_fours; ++b) {
    if constexpr (kRows > 1) prefetch_run<kStep * kRows>(ahead + kStep * kRows * b);
    add_four32<F, kRows, kTokens>(w, b, p, acc);
  }
  if (const int rest = p.n_cols / 32 % 4) {
    if constexpr (kRows > 1) prefetch_run<kStep * kRows>(ahead + kStep * kRows * n_fours);
    add_four32<F, kRows, kTokens>(w, n_fours, p, acc, rest);
  }
  for (int t = 0; t < n_tokens; ++t) {
    __m512 sums[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) sums[i] = F::kHasMin ? acc[t][i].all() : acc[t][i].of_codes;
    store_sums(sums, p.y + t * p.y_stride + first);
  }
}

template <class F>
void gemv32(const RowProduct& p) {
  // What large blocks, those of Q8_0, ask of one product is little beside what their bytes ask of
  // memory: 30 against 25 GB/s.
  constexpr bool kLarge = sizeof(typename F::Block) > 32;
  const size_t x_bytes = sizeof(Row32) / 128 * static_cast<size_t>(p.n_cols);
  int r = 0;
  if constexpr (kLarge)
    if (p.n_tokens == 1 && stays_in_l1(x_bytes))
      for (; r < p.n_rows; ++r) gemv32_rows<F, 1, 1>(p, r);
  if (p.n_tokens == 1)
    for (; r + 4 <= p.n_rows; r += 4) gemv32_rows<F, 4, 1>(p, r);
  for (; r + 2 <= p.n_rows; r += 2) gemv32_rows<F, 2, 0>(p, r);
  for (; r < p.n_rows; ++r) gemv32_rows<F, 1, 0>(p, r);
}

}  // namespace nibble::quant::NIBBLE_ISA
