// Row products of 256-weight blocks (avx2_gemv.h).
#pragma once

#include "quant/isa/avx2_gemv.h"
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
    for (int h = 0; h < 2; ++h)
      sums[h] = add_pairs(sums[h], pair_products<F>(q[j].v[h], load256(a.q[j] + 32 * h)),
                          scale(run + 2 * h));
  }
  return _mm256_add_epi32(sums[0], sums[1]);
}

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

// What surrounds the codes in the blocks of two rows that begin with d, dmin and 12 bytes of 6-bit
// scales (scales6.h): one row in each lane.
struct TwoHeads {
  __m256i groups;  // bytes: eight scales, eight minima
  __m256i mins;    // the minima as words
  __m128 factors;  // d, dmin of the first, d, dmin of the second

  TwoHeads(const std::byte* first, const std::byte* second) {
    const __m256i abcc = _mm256_shuffle_epi32(load_lanes(first, second), 0xf9);
    const __m256i low = _mm256_and_si256(abcc, _mm256_set1_epi8(0x3f));
    const __m256i upper =
        _mm256_and_si256(_mm256_srlv_epi32(abcc, _mm256_setr_epi32(2, 2, 0, 4, 2, 2, 0, 4)),
                         _mm256_setr_epi32(0x30303030, 0x30303030, 0x0f0f0f0f, 0x0f0f0f0f,
                                           0x30303030, 0x30303030, 0x0f0f0f0f, 0x0f0f0f0f));
    const __m256i high = _mm256_or_si256(upper, _mm256_shuffle_epi32(upper, 0xee));
    groups = _mm256_unpacklo_epi32(low, high);
    mins = _mm256_unpackhi_epi8(groups, _mm256_setzero_si256());
    int32_t d[2];
    std::memcpy(&d[0], first, 4);
    std::memcpy(&d[1], second, 4);
    factors = _mm_cvtph_ps(_mm_insert_epi32(_mm_cvtsi32_si128(d[0]), d[1], 1));
  }
  template <int i>
  __m256i groups_of() const {  // in both lanes
    return _mm256_permute2x128_si256(groups, groups, i ? 0x11 : 0);
  }
  __m256 factors_times(float d) const {
    return _mm256_castps128_ps256(_mm_mul_ps(factors, _mm_set1_ps(d)));
  }
  [[gnu::always_inline]] void add_minima_to(__m256& acc, const Row256& a) const {
    const __m256i neg = _mm256_broadcastsi128_si256(load128(a.neg_sum32));
    const __m256 dmin =
        _mm256_permutevar8x32_ps(factors_times(a.d), _mm256_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3));
    acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_madd_epi16(mins, neg)), dmin, acc);
  }
};

// Rows first and second, which may be the same.
template <class F, int kTokens>
struct TwoRows {
  using Block = typename F::Block;
  static_assert(offsetof(Block, d) == 0 && offsetof(Block, dmin) == 2 &&
                offsetof(Block, scales) == 4 && F::kOffsetShift < 0);
  const std::byte* rows[2];
  const std::byte* x;
  size_t x_bytes;
  int n_tokens;
  __m256 acc[kMostTokens<kTokens>][2] = {};
  __m256 minima[kMostTokens<kTokens>] = {};  // a row in each lane

  const Row256& x_of(int t, int b) const {
    return reinterpret_cast<const Row256*>(x + t * x_bytes)[b];
  }
  template <int i>
  [[gnu::always_inline]] void add_row(const TwoHeads& heads, int b) {
    Simd::Bytes q[4];
    unpack_row256<F, Simd>(reinterpret_cast<const Block*>(rows[i])[b], q);
    const __m256i groups = heads.groups_of<i>();
    for (int t = 0; t < n_tokens; ++t) {
      const Row256& a = x_of(t, b);
      const __m256i sum = scaled_sums<F>(_mm256_setzero_si256(), q, a, [&](int run) {
        return _mm256_shuffle_epi8(groups, _mm256_set1_epi16(static_cast<int16_t>(0x8000 + run)));
      });
      const __m256 d = _mm256_permutevar8x32_ps(heads.factors_times(a.d), _mm256_set1_epi32(2 * i));
      acc[t][i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), d, acc[t][i]);
    }
    asm volatile("" ::: "memory");  // or g++ keeps the row's x for the next one, on the stack
  }
  [[gnu::always_inline]] void add_block(int b) {
    const TwoHeads heads(rows[0] + sizeof(Block) * b, rows[1] + sizeof(Block) * b);
    for (int t = 0; t < n_tokens; ++t) heads.add_minima_to(minima[t], x_of(t, b));
    add_row<0>(heads, b);
    add_row<1>(heads, b);
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
  TwoRows<F, kTokens> rows{{w, v}, p.x, p.x_bytes, n_tokens_of<kTokens>(p)};
  const std::byte* ahead = v + p.row_bytes + kPrefetch;
  constexpr int kBytes = 2 * sizeof(typename F::Block);
  for (int b = 0; b < p.n_cols / 256; ++b) {
    prefetch_run<kBytes>(ahead + kBytes * b);
    rows.add_block(b);
  }
  for (int t = 0; t < rows.n_tokens; ++t) {
    float* y = p.y + t * p.y_stride;
    y[first] = rows.sum(t, 0);
    y[second] = rows.sum(t, 1);
  }
}

template <class F>
void gemv256(const RowProduct& p) {
  int r = 0;
  if constexpr (F::kHasMin && F::kGroup == 32) {
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
