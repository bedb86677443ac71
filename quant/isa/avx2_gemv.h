// Row products in the file's own layout, weights along the lanes. One prefetch pointer runs through
// the bytes in address order, also of rows that go together, since several streams are worse than
// one (see DESIGN.md). The sums of kTokens tokens, at most four, stay in registers, and each block
// is unpacked once for them.
#pragma once

#include <immintrin.h>

#include "quant/isa/avx2_dot.h"
#include "quant/isa/for_tokens.h"
#include "quant/isa/row_group.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

inline float sum_lanes(__m256 v) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

// Four blocks of 32 of one row, unpacked.
template <class F>
struct FourWeights {
  Simd::Bytes lo, hi;
  Simd::Factors factors;
  explicit FourWeights(const std::byte* w) {
    const Simd::Four<sizeof(typename F::Block)> blocks(w);
    F::template unpack_four<ProductSimd<F>>(blocks, lo, hi);
    factors = F::template factors_of_four<Simd>(blocks);
  }
  // The first n blocks; the activations of the others are zero.
  FourWeights(const std::byte* w, int n) : FourWeights(w) {
    const __m256i block = _mm256_setr_epi32(0, 1, 2, 3, 0, 1, 2, 3);
    const __m256i kept = _mm256_cmpgt_epi32(_mm256_set1_epi32(n), block);
    factors = _mm256_and_ps(factors, _mm256_castsi256_ps(kept));
  }
  // acc[2]: only its upper four lanes, the minima's, count.
  [[gnu::always_inline]] void add_to(__m256 (&acc)[3], const Row32& a) const {
    const __m256 products = _mm256_mul_ps(factors, _mm256_load_ps(a.d));
    const Simd::Floats d = Simd::first_four_times(products);
    if constexpr (F::kHasMin) acc[2] = _mm256_add_ps(acc[2], products);
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      __m256i s = _mm256_setzero_si256();
      if constexpr (kProductsOffset<F> >= 0)  // a sum of eight codes fits 16 bits
        s = _mm256_madd_epi16(load256(a.neg_sum + 8 * h),
                              _mm256_set1_epi32(1 << kProductsOffset<F>));
      s = add_two_products<F>(s, lo.v[h], load256(a.lo[2 * h]), hi.v[h], load256(a.hi[2 * h]));
      acc[h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(s), d.v[h], acc[h]);
    }
  }
};

// Row r, tokens from `token`.
template <class F, int kTokens>
[[gnu::always_inline]] inline void gemv32_row(const RowProduct& p, int r, int token) {
  constexpr size_t kBlock = sizeof(typename F::Block), kStep = 4 * kBlock;
  const int n_fours = p.n_cols / 128, rest = p.n_cols / 32 % 4;
  const std::byte* x = p.x + token * p.x_bytes;
  const std::byte* w = p.w + r * p.row_bytes;
  const std::byte* ahead = w + p.row_bytes + kPrefetch;
  __m256 acc[kTokens][3] = {};
  const auto add = [&](const FourWeights<F>& weights, int b) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t)
      weights.add_to(acc[t], reinterpret_cast<const Row32*>(x + t * p.x_bytes)[b]);
  };
  for (int b = 0; b < n_fours; ++b) {
    prefetch_run<kStep>(ahead + kStep * b);
    add(FourWeights<F>(w + kStep * b), b);
  }
  if (rest) {  // what follows the blocks that are left is read as well, but for the last rows
    prefetch_run<kStep>(ahead + kStep * n_fours);
    const std::byte* four = w + kStep * n_fours;
    alignas(32) std::byte copy[kStep];
    if (four + kStep > p.w + p.n_rows * p.row_bytes) {
      std::memset(copy, 0, kStep);
      std::memcpy(copy, four, rest * kBlock);
      four = copy;
    }
    add(FourWeights<F>(four, rest), n_fours);
  }
  for (int t = 0; t < kTokens; ++t) {
    const __m256 minima = _mm256_zextps128_ps256(_mm256_extractf128_ps(acc[t][2], 1));
    p.y[(token + t) * p.y_stride + r] =
        sum_lanes(_mm256_sub_ps(_mm256_add_ps(acc[t][0], acc[t][1]), minima));
  }
}

// Row by row: with two at a time one core got 29 GB/s instead of 33 of Q8_0 out of memory.
template <class F, int kTokens>
void gemv32_rows(const RowProduct& p, int token) {
  for (int r = 0; r < p.n_rows; ++r) gemv32_row<F, kTokens>(p, r, token);
}
template <class F>
void gemv32(const RowProduct& p) {
  for_tokens(p.n_tokens, [&](int t, auto n) { gemv32_rows<F, decltype(n)::value>(p, t); });
}

}  // namespace nibble::quant::NIBBLE_ISA
