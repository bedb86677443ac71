// Row products of 256-weight blocks (avx2_gemv.h).
#pragma once

#include "quant/isa/avx2_gemv.h"
#include "quant/isa/avx2_two_rows.h"
#include "quant/kernels/unpack256.h"

namespace nibble::quant::NIBBLE_ISA {

// start + the sums of one block, each run of 32 times its scale. scale(run): as words beside the
// products of pairs.
template <class F, class Values, class Scale>
[[gnu::always_inline]] inline __m256i scaled_sums(__m256i start, const Simd::Bytes (&q)[4],
                                                  const Values& a, Scale scale) {
  if constexpr (requires { F::kOneScale; }) {
    static_assert(8 * 2 * 127 * F::kMaxCode <= 32767);  // pairs of all runs fit 16 bits
    __m256i pairs = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i)
      pairs = _mm256_add_epi16(
          pairs,
          pair_products<F>(q[i / 2].v[i % 2], load256(a.run(i / 4 * 4 + i % 4 / 2 + i % 2 * 2))));
    return add_pairs(start, pairs, _mm256_set1_epi16(1));
  }
  __m256i sums[2] = {start, _mm256_setzero_si256()};  // so that none waits long
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const int run = j / 2 * 4 + j % 2;
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      sums[h] = add_pairs(sums[h], pair_products<F>(q[j].v[h], load256(a.run(run + 2 * h))),
                          scale(run + 2 * h));
      asm("" : "+x"(sums[h]));  // g++ would form all products first and spill them
    }
  }
  return _mm256_add_epi32(sums[0], sums[1]);
}

// One block of 256 of one row, unpacked.
template <class F>
struct BlockWeights {
  using Block = typename F::Block;
  static constexpr bool k16 = F::kGroup == 16;
  static_assert(k16 || !F::kHasMin);
  Simd::Bytes q[4];
  __m256i scales;  // word r of the low lane: of the first half of run r, high lane: of the second
  __m256i natural, mins;
  __m128 factors;  // d, dmin

  explicit BlockWeights(const Block& block) {
    unpack_row256<F, PairSimd<F>>(block, q);
    alignas(16) int8_t scale[16], min[16];
    F::groups(block, scale, min);
    if constexpr (k16) {
      const __m128i each = two_eights(scale);
      scales = words_by_halves(each);
      natural = _mm256_cvtepi8_epi16(each);
    } else {
      int64_t each;
      std::memcpy(&each, scale, 8);
      natural = scales = _mm256_cvtepi8_epi16(_mm_set1_epi64x(each));
    }
    if constexpr (F::kHasMin) {
      static_assert(offsetof(Block, dmin) == offsetof(Block, d) + 2);
      mins = _mm256_cvtepi8_epi16(two_eights(min));
      int32_t both;
      std::memcpy(&both, &block.d, 4);
      factors = _mm_cvtph_ps(_mm_cvtsi32_si128(both));
    } else {
      factors = _mm_set_ss(F::scale(block));
    }
  }

  template <class Values>
  [[gnu::always_inline]] __m256i neg_sums(const Values& a) const {
    return k16 ? load256(a.neg_sum16()) : _mm256_zextsi128_si256(load128(a.neg_sum32()));
  }
  // The lanes add up to the block, but for its factors, times a.
  template <class Values>
  [[gnu::always_inline]] __m256i dot(const Values& a) const {
    __m256i start = _mm256_setzero_si256();
    if constexpr (kOffsetLeft<F> >= 0)
      start = _mm256_slli_epi32(_mm256_madd_epi16(natural, neg_sums(a)), kOffsetLeft<F>);
    return scaled_sums<F>(start, q, a, [this](int run) {
      return _mm256_shuffle_epi8(scales,
                                 _mm256_set1_epi16(static_cast<int16_t>(0x0100 + 0x0202 * run)));
    });
  }
  template <class Values>
  [[gnu::always_inline]] __m256i dot_minima(const Values& a) const {
    return _mm256_madd_epi16(mins, neg_sums(a));
  }
  [[gnu::always_inline]] void add_to(__m256& acc, const RowValues& a) const {
    const __m128 products = _mm_mul_ps(factors, _mm_set1_ps(a.d()));
    acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot(a)), _mm256_broadcastss_ps(products), acc);
    if constexpr (F::kHasMin)
      acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot_minima(a)),
                            _mm256_broadcastss_ps(_mm_movehdup_ps(products)), acc);
  }
};

template <class F, int kTokens>
[[gnu::always_inline]] inline void gemv256_row(const RowProduct& p, int r, int token) {
  using Block = typename F::Block;
  const std::byte* x = p.x + token * p.x_bytes;
  const std::byte* w = p.w + r * p.row_bytes;
  const std::byte* ahead = w + p.row_bytes + kPrefetch;
  __m256 acc[kTokens] = {};
  for (int b = 0; b < p.n_cols / 256; ++b) {
    prefetch_run<sizeof(Block)>(ahead + sizeof(Block) * b);
    const BlockWeights<F> weights(reinterpret_cast<const Block*>(w)[b]);
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t)
      weights.add_to(acc[t], {reinterpret_cast<const Row256*>(x + t * p.x_bytes)[b]});
  }
  for (int t = 0; t < kTokens; ++t) p.y[(token + t) * p.y_stride + r] = sum_lanes(acc[t]);
}

template <class F, int kTokens>
void gemv256_rows(const RowProduct& p, int token) {
  if constexpr (kInTwos<F>)
    for (int r = 0; r < p.n_rows; r += 2)
      two_rows<F, kTokens>(p, r, r + 1 < p.n_rows ? r + 1 : r, token);
  else
    for (int r = 0; r < p.n_rows; ++r) gemv256_row<F, kTokens>(p, r, token);
}
template <class F>
void gemv256(const RowProduct& p) {
  for_tokens(p.n_tokens, [&](int t, auto n) { gemv256_rows<F, decltype(n)::value>(p, t); });
}

}  // namespace nibble::quant::NIBBLE_ISA
