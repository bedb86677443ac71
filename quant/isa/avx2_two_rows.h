// Row products of 256-weight blocks, run by run of 32 codes and two rows at a time (avx2_gemv.h).
#pragma once

#include <array>
#include <utility>

#include "quant/isa/avx2_gemv.h"
#include "quant/isa/avx2_grid.h"
#include "quant/isa/avx2_heads.h"

namespace nibble::quant::NIBBLE_ISA {

// What runs of 32 codes are unpacked with. Those of formats with an offset come out as the weights'
// signed numbers.
template <class F>
struct RunSimd {
  static __m256i load(const void* p) { return load_once(p); }
  static __m256i join(__m256i a, __m256i b) { return _mm256_or_si256(a, b); }
  template <int kShift, int kMask>
  static __m256i bits(__m256i v) {
    return bits256<kShift, kMask>(v);
  }
  // What the low nibbles of 16 bytes stand for, then what their high ones do.
  static __m256i lookup_nibbles(const void* table, const void* p) {
    const __m256i both = _mm256_srlv_epi32(_mm256_broadcastsi128_si256(load128(p)),
                                           _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4));
    return _mm256_shuffle_epi8(PairSimd<F>::table16(table).v[0],
                               _mm256_and_si256(both, _mm256_set1_epi8(15)));
  }
};
template <class F>
inline constexpr bool kInTwos = kHasGrid<F> || requires(const typename F::Block& block) {
  F::template unpack_run<RunSimd<F>, 0>(block);
};

// Of one block of two rows. Numbers that lie in memory are spread over a vector by loads, outside
// the vector units, if they were written long before.
template <class F, int kTokens>
struct TwoFactors {
  RowScales<F::kGroup> scales[2];
  [[no_unique_address]] NumbersOf<F> grid[2];
  alignas(16) float products[kTokens][4];  // d, dmin of each row times that of x
};

// Rows first and second, which may be the same.
template <class F, int kTokens>
struct TwoRows {
  using Block = typename F::Block;
  using Factors = TwoFactors<F, kTokens>;
  using Sums = __m256i[kTokens][2];
  const std::byte* rows[2];
  const std::byte* x;
  size_t x_bytes;
  __m256 acc[kTokens][2] = {};
  __m256 minima[kTokens] = {};  // a row in each lane

  const Row256& x_of(int t, int b) const {
    return reinterpret_cast<const Row256*>(x + t * x_bytes)[b];
  }
  const Block& block(int i, int b) const { return reinterpret_cast<const Block*>(rows[i])[b]; }
  [[gnu::always_inline]] void take_factors(int b, Factors& factors) {
    const HeadsOf<F> heads(&block(0, b), &block(1, b));
    heads.store_scales(factors.scales);
    if constexpr (kHasGrid<F>)
      for (int i = 0; i < 2; ++i) factors.grid[i].take(block(i, b));
    for (int t = 0; t < kTokens; ++t) {
      const __m128 products = _mm_mul_ps(heads.factors, _mm_set1_ps(x_of(t, b).d));
      _mm_store_ps(factors.products[t], products);
      if constexpr (F::kHasMin) heads.add_minima_to(minima[t], products, x_of(t, b).neg_sum32);
    }
  }
  template <int kRun>
  [[gnu::always_inline]] auto run_of(int i, int b, const Factors& factors) const {
    if constexpr (kHasGrid<F>)
      return grid_run<F, kRun>(block(i, b), factors.grid[i]);
    else if constexpr (F::kOffsetShift >= 0)
      return SignedRun{F::template unpack_run<RunSimd<F>, kRun>(block(i, b))};
    else
      return Run{F::template unpack_run<RunSimd<F>, kRun>(block(i, b))};
  }
  // The values serve both rows.
  template <int kRun>
  [[gnu::always_inline]] void add_run(int b, const Factors& factors, Sums& sums) const {
    const std::array runs = {run_of<kRun>(0, b, factors), run_of<kRun>(1, b, factors)};
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t) {
      const __m256i a = load_once(&x_of(t, b).q[0][0] + kRunAt[kRun]), size = _mm256_abs_epi8(a);
      for (int i = 0; i < 2; ++i) {
        sums[t][i] = add_pairs(sums[t][i], runs[i].products(a, size),
                               factors.scales[i].template of_run<kRun>());
        asm("" : "+x"(sums[t][i]));  // g++ would form all products first and spill them
      }
    }
  }
  template <int... kRun>
  [[gnu::always_inline]] void add_runs(int b, const Factors& factors, Sums& sums,
                                       std::integer_sequence<int, kRun...>) const {
    (add_run<kRun>(b, factors, sums), ...);
  }
  [[gnu::always_inline]] void add_block(int b, const Factors& factors) {
    Sums sums;
    for (int t = 0; t < kTokens; ++t) sums[t][0] = sums[t][1] = _mm256_setzero_si256();
    add_runs(b, factors, sums, std::make_integer_sequence<int, 8>{});
    for (int t = 0; t < kTokens; ++t)
      for (int i = 0; i < 2; ++i)
        acc[t][i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[t][i]),
                                    _mm256_set1_ps(factors.products[t][2 * i]), acc[t][i]);
  }
  float sum(int t, int i) const {
    const __m128 of_row =
        i ? _mm256_extractf128_ps(minima[t], 1) : _mm256_castps256_ps128(minima[t]);
    return sum_lanes(_mm256_add_ps(acc[t][i], _mm256_zextps128_ps256(of_row)));
  }
};

template <class F, int kTokens>
[[gnu::always_inline]] inline void two_rows(const RowProduct& p, int first, int second, int token) {
  const std::byte *w = p.w + first * p.row_bytes, *v = p.w + second * p.row_bytes;
  TwoRows<F, kTokens> rows{.rows = {w, v}, .x = p.x + token * p.x_bytes, .x_bytes = p.x_bytes};
  TwoFactors<F, kTokens> factors[2];
  const std::byte* ahead = v + p.row_bytes + kPrefetch;
  constexpr int kBytes = 2 * sizeof(typename F::Block);
  const int n_blocks = p.n_cols / 256;
  rows.take_factors(0, factors[0]);
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<kBytes>(ahead + kBytes * b);
    if (b + 1 < n_blocks) rows.take_factors(b + 1, factors[(b + 1) % 2]);
    rows.add_block(b, factors[b % 2]);
  }
  for (int t = 0; t < kTokens; ++t) {
    float* y = p.y + (token + t) * p.y_stride;
    y[first] = rows.sum(t, 0);
    y[second] = rows.sum(t, 1);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
