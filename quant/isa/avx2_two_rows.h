// Row products of 256-weight blocks with groups of 32, two rows at a time (avx2_gemv.h).
#pragma once

#include "quant/isa/avx2_gemv.h"
#include "quant/isa/avx2_heads.h"
#include "quant/kernels/unpack256.h"

namespace nibble::quant::NIBBLE_ISA {

// start + the sums of one block, each run of 32 times its scale. scale(run): as words beside the
// products of pairs.
template <class F, class Scale>
[[gnu::always_inline]] inline __m256i scaled_sums(__m256i start, const Simd::Bytes (&q)[4],
                                                  const Row256& a, Scale scale) {
  __m256i sums[2] = {start, _mm256_setzero_si256()};  // so that none waits long
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const int run = j / 2 * 4 + j % 2;
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      sums[h] = add_pairs(sums[h], pair_products<F>(q[j].v[h], load256(a.q[j] + 32 * h)),
                          scale(run + 2 * h));
      asm("" : "+x"(sums[h]));  // g++ would form all products first and spill them
    }
  }
  return _mm256_add_epi32(sums[0], sums[1]);
}

// Formats of which runs of 32 codes, in their signed form, come out one by one.
template <class F>
concept UnpacksRuns = requires(const typename F::Block& block) {
  F::template unpack_run<SignedSimd>(block, 0);
};
template <class F>
inline constexpr bool kInTwos = F::kGroup == 32 && (F::kHasMin || UnpacksRuns<F>);

// Of one block of both rows. Numbers that lie in memory are spread over a vector by loads, outside
// the vector units, if they were written long before.
struct alignas(32) TwoFactors {
  int16_t scales[2][8];
  float d[4];
};

// Rows first and second, which may be the same.
template <class F, int kTokens>
struct TwoRows {
  using Block = typename F::Block;
  using Sums = __m256i[kMostTokens<kTokens>][2];
  const std::byte* rows[2];
  const std::byte* x;
  size_t x_bytes;
  int n_tokens;
  __m256 acc[kMostTokens<kTokens>][2] = {};
  __m256 minima[kMostTokens<kTokens>] = {};  // a row in each lane

  int tokens() const { return kTokens ? kTokens : n_tokens; }
  const Row256& x_of(int t, int b) const {
    return reinterpret_cast<const Row256*>(x + t * x_bytes)[b];
  }
  const Block& block(int i, int b) const { return reinterpret_cast<const Block*>(rows[i])[b]; }
  [[gnu::always_inline]] void take_heads(int b, TwoFactors& factors) {
    const HeadsOf<F> heads(&block(0, b), &block(1, b));
    _mm256_store_si256(reinterpret_cast<__m256i*>(factors.scales[0]), heads.scales);
    _mm_store_ps(factors.d, heads.factors);
    if constexpr (F::kHasMin)
      for (int t = 0; t < tokens(); ++t) heads.add_minima_to(minima[t], x_of(t, b));
  }
  template <int i>
  [[gnu::always_inline]] void add_row(int b, const TwoFactors& factors, Sums& sums) {
    Simd::Bytes q[4];
    unpack_row256<F, Simd>(block(i, b), q);
    for (int t = 0; t < tokens(); ++t)
      sums[t][i] = scaled_sums<F>(_mm256_setzero_si256(), q, x_of(t, b), [&](int run) {
        return _mm256_set1_epi16(factors.scales[i][run]);
      });
  }
  // Magnitudes of activations, which serve both rows, times codes with the activations' signs.
  [[gnu::always_inline]] void add_run(int run, int b, const TwoFactors& factors, Sums& sums) {
    __m256i codes[2];
    for (int i = 0; i < 2; ++i) codes[i] = F::template unpack_run<SignedSimd>(block(i, b), run);
    for (int t = 0; t < tokens(); ++t) {
      const __m256i a = load_once(&x_of(t, b).q[0][0] + kRunAt[run]), size = _mm256_abs_epi8(a);
      for (int i = 0; i < 2; ++i) {
        const __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(codes[i], a));
        sums[t][i] = add_pairs(sums[t][i], pairs, _mm256_set1_epi16(factors.scales[i][run]));
        asm("" : "+x"(sums[t][i]));  // as above
      }
    }
  }
  [[gnu::always_inline]] void add_block(int b, const TwoFactors& factors) {
    Sums sums;
    for (int t = 0; t < tokens(); ++t) sums[t][0] = sums[t][1] = _mm256_setzero_si256();
    if constexpr (UnpacksRuns<F>) {
#pragma GCC unroll 8
      for (int run = 0; run < 8; ++run) add_run(run, b, factors, sums);
    } else {
      add_row<0>(b, factors, sums);
      add_row<1>(b, factors, sums);
    }
    for (int t = 0; t < tokens(); ++t)
      for (int i = 0; i < 2; ++i) {
        __m256 d = _mm256_set1_ps(x_of(t, b).d);
        asm("" : "+x"(d));  // g++ would multiply one lane, then spread it
        acc[t][i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[t][i]),
                                    _mm256_mul_ps(_mm256_set1_ps(factors.d[2 * i]), d), acc[t][i]);
      }
  }
  float sum(int t, int i) const {
    const __m128 of_row =
        i ? _mm256_extractf128_ps(minima[t], 1) : _mm256_castps256_ps128(minima[t]);
    return sum_lanes(_mm256_add_ps(acc[t][i], _mm256_zextps128_ps256(of_row)));
  }
};

template <class F, int kTokens>
void two_rows(const RowProduct& p, int first, int second) {
  const std::byte *w = p.w + first * p.row_bytes, *v = p.w + second * p.row_bytes;
  TwoRows<F, kTokens> rows{.rows = {w, v}, .x = p.x, .x_bytes = p.x_bytes, .n_tokens = p.n_tokens};
  TwoFactors factors[2];
  const std::byte* ahead = v + p.row_bytes + kPrefetch;
  constexpr int kBytes = 2 * sizeof(typename F::Block);
  const int n_blocks = p.n_cols / 256;
  rows.take_heads(0, factors[0]);
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<kBytes>(ahead + kBytes * b);
    if (b + 1 < n_blocks) rows.take_heads(b + 1, factors[(b + 1) % 2]);
    rows.add_block(b, factors[b % 2]);
  }
  for (int t = 0; t < rows.tokens(); ++t) {
    float* y = p.y + t * p.y_stride;
    y[first] = rows.sum(t, 0);
    y[second] = rows.sum(t, 1);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
