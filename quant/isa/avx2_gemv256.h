// Row products of 256-weight blocks (avx2_gemv.h).
#pragma once

#include "quant/isa/avx2_gemv.h"
#include "quant/isa/avx2_two_rows.h"
#include "quant/kernels/unpack256.h"

namespace nibble::quant::NIBBLE_ISA {

// Two runs of eight bytes that were written one by one: in one load they would have to wait.
inline __m128i two_eights(const int8_t* p) {
  int64_t first, second;
  std::memcpy(&first, p, 8);
  std::memcpy(&second, p + 8, 8);
  return _mm_set_epi64x(second, first);
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
      scales = _mm256_cvtepi8_epi16(_mm_shuffle_epi8(
          each, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15)));
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

  [[gnu::always_inline]] void add_to(__m256& acc, const Row256& a) const {
    const __m256i neg = k16 ? load256(a.neg_sum16) : _mm256_zextsi128_si256(load128(a.neg_sum32));
    __m256i start = _mm256_setzero_si256();
    if constexpr (kOffsetLeft<F> >= 0)
      start = _mm256_slli_epi32(_mm256_madd_epi16(natural, neg), kOffsetLeft<F>);
    const __m256i sum = scaled_sums<F>(start, q, a, [this](int run) {
      return _mm256_shuffle_epi8(scales,
                                 _mm256_set1_epi16(static_cast<int16_t>(0x0100 + 0x0202 * run)));
    });
    const __m128 products = _mm_mul_ps(factors, _mm_set1_ps(a.d));
    acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_broadcastss_ps(products), acc);
    if constexpr (F::kHasMin)
      acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_madd_epi16(mins, neg)),
                            _mm256_broadcastss_ps(_mm_movehdup_ps(products)), acc);
  }
};

template <class F, int kRows, int kTokens>
void gemv256_rows(const RowProduct& p, int first) {
  using Block = typename F::Block;
  const int n_blocks = p.n_cols / 256, n_tokens = n_tokens_of<kTokens>(p);
  const size_t row_bytes = p.row_bytes, x_bytes = p.x_bytes;
  const std::byte *w = p.w + first * row_bytes, *x = p.x;
  const std::byte* ahead = w + kRows * row_bytes + kPrefetch;
  __m256 acc[kMostTokens<kTokens>][kRows] = {};
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<sizeof(Block) * kRows>(ahead + sizeof(Block) * kRows * b);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const BlockWeights<F> weights(
          *reinterpret_cast<const Block*>(w + i * row_bytes + sizeof(Block) * b));
      for (int t = 0; t < n_tokens; ++t)
        weights.add_to(acc[t][i], reinterpret_cast<const Row256*>(x + t * x_bytes)[b]);
      asm volatile("" ::: "memory");  // or g++ keeps the row's x for the next one, on the stack
    }
  }
  for (int t = 0; t < n_tokens; ++t)
    for (int i = 0; i < kRows; ++i) p.y[t * p.y_stride + first + i] = sum_lanes(acc[t][i]);
}

template <class F>
void gemv256(const RowProduct& p) {
  int r = 0;
  if constexpr (kInTwos<F>) {
    for (; r < p.n_rows; r += 2) {
      const int second = r + 1 < p.n_rows ? r + 1 : r;
      p.n_tokens == 1 ? two_rows<F, 1>(p, r, second) : two_rows<F, 0>(p, r, second);
    }
  } else {
    if (p.n_tokens == 1)
      for (; r + 2 <= p.n_rows; r += 2) gemv256_rows<F, 2, 1>(p, r);
    for (; r < p.n_rows; ++r) gemv256_rows<F, 1, 0>(p, r);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
