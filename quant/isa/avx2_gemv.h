// Row products in the file's own layout, weights along the lanes. Rows of a group share the
// activations; one prefetch pointer runs through the group's bytes in address order: several
// streams are worse than one (see DESIGN.md).
#pragma once

#include <immintrin.h>

#include "quant/isa/avx2_dot.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/unpack256.h"

namespace nibble::quant::NIBBLE_ISA {

inline float sum_lanes(__m256 v) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

inline constexpr int kPrefetch = 16384;  // beyond the row group; into L2, as L1 would not hold it
template <int kBytes>
[[gnu::always_inline]] inline void prefetch_run(const std::byte* p) {
#pragma GCC unroll 16
  for (int i = 0; i < kBytes; i += 64)
    _mm_prefetch(reinterpret_cast<const char*>(p + i), _MM_HINT_T1);
}

// Adds four blocks of one row to acc.
template <class F>
[[gnu::always_inline]] inline void add_blocks32(const std::byte* w, const Row32& a,
                                                __m256 (&acc)[2]) {
  const Simd::Four<sizeof(typename F::Block)> blocks(w);
  const __m256i ones = _mm256_set1_epi16(1);
  Simd::Bytes lo, hi;
  F::template unpack_four<Simd>(blocks, lo, hi);
  const Simd::Floats d = F::template scales_of_four<Simd>(blocks);
  Simd::Floats m{};
  if constexpr (F::kHasMin) m = F::template minima_of_four<Simd>(blocks);
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    const __m256i neg = load256(a.neg_sum + 8 * h);
    __m256i s =
        _mm256_add_epi32(_mm256_madd_epi16(pair_products<F>(lo.v[h], load256(a.lo[2 * h])), ones),
                         _mm256_madd_epi16(pair_products<F>(hi.v[h], load256(a.hi[2 * h])), ones));
    if constexpr (kOffsetLeft<F> >= 0)
      s = _mm256_add_epi32(s, _mm256_slli_epi32(neg, kOffsetLeft<F>));
    const __m256 da = _mm256_load_ps(a.d + 8 * h);
    acc[h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(s), _mm256_mul_ps(d.v[h], da), acc[h]);
    if constexpr (F::kHasMin)
      acc[h] = _mm256_fnmadd_ps(m.v[h], _mm256_mul_ps(da, _mm256_cvtepi32_ps(neg)), acc[h]);
  }
}

template <class F, int kRows>
void gemv32_rows(const std::byte* w, size_t row_bytes, int n_cols, const Row32* x, float* y) {
  constexpr int kBlock = sizeof(typename F::Block), kStep = 4 * kBlock;
  const int n_fours = n_cols / 128, rest = n_cols / 32 % 4;
  const std::byte* ahead = w + kRows * row_bytes + kPrefetch;
  __m256 acc[kRows][2];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) acc[i][0] = acc[i][1] = _mm256_setzero_ps();
  for (int b = 0; b < n_fours; ++b) {
    prefetch_run<kStep * kRows>(ahead + size_t{kStep} * kRows * b);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) add_blocks32<F>(w + i * row_bytes + b * kStep, x[b], acc[i]);
  }
  for (int i = 0; i < kRows; ++i) {
    if (rest) {  // as four blocks of which the missing ones are zero
      alignas(32) std::byte four[kStep] = {};
      for (int j = 0; j < rest; ++j)
        std::memcpy(four + j * kBlock, w + i * row_bytes + n_fours * kStep + j * kBlock, kBlock);
      add_blocks32<F>(four, x[n_fours], acc[i]);
    }
    y[i] = sum_lanes(_mm256_add_ps(acc[i][0], acc[i][1]));
  }
}

template <class F>
void gemv32(const std::byte* w, size_t row_bytes, int n_rows, int n_cols, const Row32* x,
            float* y) {
  int r = 0;
  for (; r + 2 <= n_rows; r += 2) gemv32_rows<F, 2>(w + r * row_bytes, row_bytes, n_cols, x, y + r);
  for (; r < n_rows; ++r) gemv32_rows<F, 1>(w + r * row_bytes, row_bytes, n_cols, x, y + r);
}

// Adds one block of 256 of one row: in integers up to the block's own factors.
template <class F>
[[gnu::always_inline]] inline void add_block256(const typename F::Block& block, const Row256& a,
                                                __m256& acc) {
  constexpr bool k16 = F::kGroup == 16;
  Simd::Bytes q[4];
  unpack_row256<F, Simd>(block, q);
  alignas(16) int8_t scale[16], min[16];
  F::groups(block, scale, min);
  // Word r of the low lane: the scale of the first half of run r, of the high lane: of its second
  // half.
  const __m128i bytes =
      k16 ? _mm_shuffle_epi8(load128(scale),
                             _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15))
          : _mm_set1_epi64x(*reinterpret_cast<const int64_t*>(scale));
  const __m256i scales = _mm256_cvtepi8_epi16(bytes);
  const auto scale_of_run = [&](int run) {
    return _mm256_shuffle_epi8(scales,
                               _mm256_set1_epi16(static_cast<int16_t>(0x0100 + 0x0202 * run)));
  };
  constexpr int kRun[4][2] = {{0, 2}, {1, 3}, {4, 6}, {5, 7}};
  __m256i sum = _mm256_setzero_si256();
  __m256i neg = load256(a.neg_sum16);
  if constexpr (!k16) neg = _mm256_zextsi128_si256(load128(a.neg_sum32));
  if constexpr (kOffsetLeft<F> >= 0) {
    const __m256i natural = k16 ? _mm256_cvtepi8_epi16(load128(scale)) : scales;
    sum = _mm256_slli_epi32(_mm256_madd_epi16(natural, neg), kOffsetLeft<F>);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h)
      sum = _mm256_add_epi32(
          sum, _mm256_madd_epi16(pair_products<F>(q[j].v[h], load256(a.q[j] + 32 * h)),
                                 scale_of_run(kRun[j][h])));
  }
  acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_set1_ps(F::scale(block) * a.d), acc);
  if constexpr (F::kHasMin) {
    const __m256i mins = _mm256_madd_epi16(
        _mm256_cvtepi8_epi16(k16 ? load128(min)
                                 : _mm_loadl_epi64(reinterpret_cast<const __m128i*>(min))),
        neg);
    acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(mins), _mm256_set1_ps(F::dmin(block) * a.d), acc);
  }
}

template <class F, int kRows>
void gemv256_rows(const std::byte* w, size_t row_bytes, int n_blocks, const Row256* x, float* y) {
  using Block = typename F::Block;
  const std::byte* ahead = w + kRows * row_bytes + kPrefetch;
  __m256 acc[kRows];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) acc[i] = _mm256_setzero_ps();
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<sizeof(Block) * kRows>(ahead + sizeof(Block) * kRows * b);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i)
      add_block256<F>(*reinterpret_cast<const Block*>(w + i * row_bytes + sizeof(Block) * b), x[b],
                      acc[i]);
  }
  for (int i = 0; i < kRows; ++i) y[i] = sum_lanes(acc[i]);
}

template <class F>
void gemv256(const std::byte* w, size_t row_bytes, int n_rows, int n_cols, const Row256* x,
             float* y) {
  int r = 0;
  for (; r + 2 <= n_rows; r += 2)
    gemv256_rows<F, 2>(w + r * row_bytes, row_bytes, n_cols / 256, x, y + r);
  for (; r < n_rows; ++r) gemv256_rows<F, 1>(w + r * row_bytes, row_bytes, n_cols / 256, x, y + r);
}

}  // namespace nibble::quant::NIBBLE_ISA
