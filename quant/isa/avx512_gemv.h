// Row products with VNNI, in the file's own layout, weights along the lanes. kRows rows go together
// and share the activations in registers; their bytes are one contiguous range, and one prefetch
// pointer runs through it in address order: several streams are worse than one (see DESIGN.md).
#pragma once

#include <immintrin.h>

#include "quant/kernels/layout.h"
#include "quant/kernels/unpack256.h"

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

// Asks for the kBytes bytes at p.
inline constexpr int kPrefetch = 16384;  // beyond the row group; into L2, as L1 would not hold it
template <int kBytes>
[[gnu::always_inline]] inline void prefetch_run(const std::byte* p) {
#pragma GCC unroll 16
  for (int i = 0; i < kBytes; i += 64)
    _mm_prefetch(reinterpret_cast<const char*>(p + i), _MM_HINT_T1);
}

// Four blocks of 32 of one row. f: what the four blocks share with the other rows.
struct FourBlocks {
  __m512i lo, hi, start;
  __m512 d, d_neg_sum;
  template <int kShift>
  static FourBlocks of(const Row32& a) {
    const __m512i neg = _mm512_load_si512(a.neg_sum);
    const __m512 d = _mm512_load_ps(a.d);
    return {_mm512_load_si512(a.lo), _mm512_load_si512(a.hi),
            kShift < 0 ? _mm512_setzero_si512() : _mm512_slli_epi32(neg, kShift < 0 ? 0 : kShift),
            d, _mm512_mul_ps(d, _mm512_cvtepi32_ps(neg))};
  }
};

template <class F>
[[gnu::always_inline]] inline __m512 add_blocks32(
    const Simd::Four<sizeof(typename F::Block)>& blocks, const FourBlocks& a, __m512 acc) {
  __m512i lo, hi;
  F::template unpack_four<Simd>(blocks, lo, hi);
  const __m512i s = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(a.start, lo, a.lo), hi, a.hi);
  acc = _mm512_fmadd_ps(_mm512_cvtepi32_ps(s),
                        _mm512_mul_ps(F::template scales_of_four<Simd>(blocks), a.d), acc);
  if constexpr (F::kHasMin)
    acc = _mm512_fnmadd_ps(F::template minima_of_four<Simd>(blocks), a.d_neg_sum, acc);
  return acc;
}

template <class F, int kRows>
void gemv32_rows(const std::byte* w, size_t row_bytes, int n_cols, const Row32* x, float* y) {
  using Fours = Simd::Four<sizeof(typename F::Block)>;
  constexpr int kStep = 4 * sizeof(typename F::Block);
  const int n_blocks = n_cols / 32;
  const std::byte* ahead = w + kRows * row_bytes + kPrefetch;
  __m512 acc[kRows];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) acc[i] = _mm512_setzero_ps();
  for (int b = 0; b < n_blocks / 4; ++b) {
    prefetch_run<kStep * kRows>(ahead + size_t{kStep} * kRows * b);
    const auto a = FourBlocks::of<F::kOffsetShift>(x[b]);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i)
      acc[i] = add_blocks32<F>(Fours(w + i * row_bytes + b * kStep), a, acc[i]);
  }
  if (const int rest = n_blocks % 4) {
    const auto a = FourBlocks::of<F::kOffsetShift>(x[n_blocks / 4]);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i)
      acc[i] = add_blocks32<F>(Fours(w + i * row_bytes + n_blocks / 4 * kStep, rest), a, acc[i]);
  }
  store_sums(acc, y);
}

template <class F>
void gemv32(const std::byte* w, size_t row_bytes, int n_rows, int n_cols, const Row32* x,
            float* y) {
  constexpr int kRows = sizeof(typename F::Block) > 32 ? 1 : 4;  // Q8_0: 28 against 25 GB/s
  int r = 0;
  for (; r + kRows <= n_rows; r += kRows)
    gemv32_rows<F, kRows>(w + r * row_bytes, row_bytes, n_cols, x, y + r);
  for (; r < n_rows; ++r) gemv32_rows<F, 1>(w + r * row_bytes, row_bytes, n_cols, x, y + r);
}

// The places of the groups' scales beside the sums of four products that packing two dot results
// leaves in 16-bit lanes: lane L holds four sums of run q[0] or q[2], then four of q[1] or q[3].
// See Row256.
template <int kGroup>
inline __m512i scale_places(int half) {
  constexpr int kPer = kGroup / 16;
  const int g = 8 * half;
  const auto at = [&](int group16) {
    return static_cast<int16_t>((g + group16) / kPer) * 0x0001000100010001ll;
  };
  return _mm512_set_epi64(at(7), at(5), at(6), at(4), at(3), at(1), at(2), at(0));
}

template <class F, int kRows>
void gemv256_rows(const std::byte* w, size_t row_bytes, int n_blocks, const Row256* x, float* y) {
  using Block = typename F::Block;
  constexpr bool k16 = F::kGroup == 16;
  constexpr bool kWide = F::kMaxCode > 64;  // four products do not fit 16 bits
  const __m512i first = scale_places<F::kGroup>(0), second = scale_places<F::kGroup>(1);
  const std::byte* ahead = w + kRows * row_bytes + kPrefetch;
  __m512 acc[kRows];
  __m128 min_acc[kRows];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) acc[i] = _mm512_setzero_ps(), min_acc[i] = _mm_setzero_ps();
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<sizeof(Block) * kRows>(ahead + sizeof(Block) * kRows * b);
    const Row256& a = x[b];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const auto& block = *reinterpret_cast<const Block*>(w + i * row_bytes + sizeof(Block) * b);
      __m512i q[4], p[4];
      unpack_row256<F, Simd>(block, q);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j)
        p[j] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), q[j], _mm512_load_si512(a.q[j]));
      alignas(16) int8_t scale[16], min[16];
      F::groups(block, scale, min);
      const __m256i scales =
          _mm256_cvtepi8_epi16(k16 ? _mm_load_si128(reinterpret_cast<const __m128i*>(scale))
                                   : _mm_loadl_epi64(reinterpret_cast<const __m128i*>(scale)));
      __m512i sum = _mm512_setzero_si512();
      if constexpr (F::kOffsetShift >= 0) {
        if constexpr (k16) {
          const __m256i neg = _mm256_load_si256(reinterpret_cast<const __m256i*>(a.neg_sum16));
          sum = _mm512_zextsi256_si512(
              _mm256_slli_epi32(_mm256_madd_epi16(scales, neg), F::kOffsetShift));
        } else {
          const __m128i neg = _mm_load_si128(reinterpret_cast<const __m128i*>(a.neg_sum32));
          sum = _mm512_zextsi128_si512(
              _mm_slli_epi32(_mm_madd_epi16(_mm256_castsi256_si128(scales), neg), F::kOffsetShift));
        }
      }
      const __m512i all = _mm512_castsi256_si512(scales);
      const __m512i s0 = _mm512_permutexvar_epi16(first, all),
                    s1 = _mm512_permutexvar_epi16(second, all);
      if constexpr (kWide) {
        const auto add = [&](__m512i dots, __m512i words) {
          sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(dots, words));
        };
        add(p[0], _mm512_srai_epi32(_mm512_unpacklo_epi16(s0, s0), 16));
        add(p[1], _mm512_srai_epi32(_mm512_unpackhi_epi16(s0, s0), 16));
        add(p[2], _mm512_srai_epi32(_mm512_unpacklo_epi16(s1, s1), 16));
        add(p[3], _mm512_srai_epi32(_mm512_unpackhi_epi16(s1, s1), 16));
      } else {
        sum = _mm512_dpwssd_epi32(sum, _mm512_packs_epi32(p[0], p[1]), s0);
        sum = _mm512_dpwssd_epi32(sum, _mm512_packs_epi32(p[2], p[3]), s1);
      }
      const float d = F::scale(block) * a.d;
      acc[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(d), acc[i]);
      if constexpr (F::kHasMin) {
        __m128i mins;
        if constexpr (k16) {
          const __m256i both = _mm256_madd_epi16(
              _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(min))),
              _mm256_load_si256(reinterpret_cast<const __m256i*>(a.neg_sum16)));
          mins = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
        } else {
          mins = _mm_madd_epi16(
              _mm_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(min))),
              _mm_load_si128(reinterpret_cast<const __m128i*>(a.neg_sum32)));
        }
        min_acc[i] =
            _mm_fmadd_ps(_mm_cvtepi32_ps(mins), _mm_set1_ps(F::dmin(block) * a.d), min_acc[i]);
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i)
    acc[i] = _mm512_add_ps(acc[i], _mm512_zextps128_ps512(min_acc[i]));
  store_sums(acc, y);
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
