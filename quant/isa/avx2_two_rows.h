// Row products of 256-weight blocks, run by run of 32 codes and two rows at a time (avx2_gemv.h).
#pragma once

#include <array>
#include <utility>

#include "quant/isa/avx2_gemv.h"
#include "quant/isa/avx2_grid.h"
#include "quant/isa/avx2_heads.h"
#include "quant/kernels/values256.h"

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

// What surrounds the codes of one block of two rows. Numbers that lie in memory are spread over a
// vector by loads, outside the vector units, if they were written long before.
template <class F>
struct alignas(32) TwoHeads {
  RowScales<F::kGroup> scales[2];
  [[no_unique_address]] NumbersOf<F> grid[2];
};

// Two rows, which may be the same.
template <class F>
struct TwoRows {
  using Block = typename F::Block;
  const std::byte* rows[2];

  const Block& block(int i, int b) const { return reinterpret_cast<const Block*>(rows[i])[b]; }
  [[gnu::always_inline]] HeadsOf<F> take_heads(int b, TwoHeads<F>& out) const {
    const HeadsOf<F> heads(&block(0, b), &block(1, b));
    heads.store_scales(out.scales);
    if constexpr (kHasGrid<F>)
      for (int i = 0; i < 2; ++i) out.grid[i].take(block(i, b));
    return heads;
  }
  template <int kRun>
  [[gnu::always_inline]] auto run_of(int i, int b, const TwoHeads<F>& heads) const {
    if constexpr (kHasGrid<F>)
      return grid_run<F, kRun>(block(i, b), heads.grid[i]);
    else if constexpr (F::kOffsetShift >= 0)
      return SignedRun{F::template unpack_run<RunSimd<F>, kRun>(block(i, b))};
    else
      return Run{F::template unpack_run<RunSimd<F>, kRun>(block(i, b))};
  }
  // The values serve both rows.
  template <int kRun, class Values, int kTokens>
  [[gnu::always_inline]] void add_run(int b, const TwoHeads<F>& heads, Values values,
                                      __m256i (&sums)[kTokens][2]) const {
    const std::array runs = {run_of<kRun>(0, b, heads), run_of<kRun>(1, b, heads)};
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t) {
      const __m256i a = load_once(values(t).run(kRun)), size = _mm256_abs_epi8(a);
      for (int i = 0; i < 2; ++i) {
        sums[t][i] = add_pairs(sums[t][i], runs[i].products(a, size),
                               heads.scales[i].template of_run<kRun>());
        asm("" : "+x"(sums[t][i]));  // g++ would form all products first and spill them
      }
    }
  }
  template <class Values, int kTokens, int... kRun>
  [[gnu::always_inline]] void add_runs(int b, const TwoHeads<F>& heads, Values values,
                                       __m256i (&sums)[kTokens][2],
                                       std::integer_sequence<int, kRun...>) const {
    (add_run<kRun>(b, heads, values, sums), ...);
  }
  // sums[t][i]: the lanes add up to block b of row i, but for its factor, times values(t).
  template <class Values, int kTokens>
  [[gnu::always_inline]] void dot(int b, const TwoHeads<F>& heads, Values values,
                                  __m256i (&sums)[kTokens][2]) const {
    for (int t = 0; t < kTokens; ++t) sums[t][0] = sums[t][1] = _mm256_setzero_si256();
    add_runs(b, heads, values, sums, std::make_integer_sequence<int, 8>{});
  }
};

template <class F, int kTokens>
[[gnu::always_inline]] inline void two_rows(const RowProduct& p, int first, int second, int token) {
  const std::byte *w = p.w + first * p.row_bytes, *v = p.w + second * p.row_bytes,
                  *x = p.x + token * p.x_bytes;
  const TwoRows<F> rows{{w, v}};
  struct {
    TwoHeads<F> heads;
    alignas(16) float products[kTokens][4];  // d, dmin of each row times that of x
  } of[2];
  __m256 acc[kTokens][2] = {};
  __m256 minima[kTokens] = {};  // a row in each lane
  const auto values = [ x, bytes = p.x_bytes ](int t, int b) __attribute__((always_inline)) {
    return RowValues{reinterpret_cast<const Row256*>(x + t * bytes)[b]};
  };
  const auto take = [&](int b) __attribute__((always_inline)) {
    const HeadsOf<F> heads = rows.take_heads(b, of[b % 2].heads);
    for (int t = 0; t < kTokens; ++t) {
      const __m128 products = _mm_mul_ps(heads.factors, _mm_set1_ps(values(t, b).d()));
      _mm_store_ps(of[b % 2].products[t], products);
      if constexpr (F::kHasMin) heads.add_minima_to(minima[t], products, values(t, b).neg_sum32());
    }
  };
  const std::byte* ahead = v + p.row_bytes + kPrefetch;
  constexpr int kBytes = 2 * sizeof(typename F::Block);
  const int n_blocks = p.n_cols / 256;
  take(0);
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<kBytes>(ahead + kBytes * b);
    if (b + 1 < n_blocks) take(b + 1);
    __m256i sums[kTokens][2];
    rows.dot(
        b, of[b % 2].heads, [&](int t) { return values(t, b); }, sums);
    for (int t = 0; t < kTokens; ++t)
      for (int i = 0; i < 2; ++i)
        acc[t][i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[t][i]),
                                    _mm256_set1_ps(of[b % 2].products[t][2 * i]), acc[t][i]);
  }
  for (int t = 0; t < kTokens; ++t) {
    float* y = p.y + (token + t) * p.y_stride;
    const __m256 with_first = _mm256_zextps128_ps256(_mm256_castps256_ps128(minima[t])),
                 with_second = _mm256_zextps128_ps256(_mm256_extractf128_ps(minima[t], 1));
    y[first] = sum_lanes(_mm256_add_ps(acc[t][0], with_first));
    y[second] = sum_lanes(_mm256_add_ps(acc[t][1], with_second));
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
