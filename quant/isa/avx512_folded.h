// Panels of 256-weight blocks whose group scales are multiplied into the codes as they are
// expanded: exact where scale * code fits a byte. What is left of a block is one sum of 256
// products: 64 dots and two multiplications, instead of one more for each group.
#pragma once

#include <immintrin.h>

#include "quant/isa/avx512_multiply.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

inline constexpr bool kFoldsScales = true;

// In every byte of a row's dword: scale * (code - kOffset) + kFoldedOffset, where scale is byte
// kByte of the row's dword in scales.
template <int kByte, int kOffset, int kFoldedOffset>
struct Fold {
  __m512i factor, start;
  explicit Fold(__m512i scales) {
    const __m128i byte = _mm_set_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0);
    const __m512i bytes = _mm512_shuffle_epi8(
        scales, _mm512_broadcast_i32x4(_mm_add_epi8(byte, _mm_set1_epi8(kByte))));
    factor = _mm512_srai_epi16(bytes, 8);
    start = product(_mm512_set1_epi8(-kOffset), factor);
    start = _mm512_add_epi8(start, _mm512_set1_epi8(static_cast<char>(kFoldedOffset)));
  }
  // The low bytes of the products.
  static __m512i product(__m512i codes, __m512i factor) {
    const __m512i low = _mm512_set1_epi16(255);
    const __m512i even = _mm512_mullo_epi16(_mm512_and_si512(codes, low), factor);
    const __m512i odd = _mm512_mullo_epi16(_mm512_srli_epi16(codes, 8), factor);
    return _mm512_or_si512(_mm512_and_si512(even, low), _mm512_slli_epi16(odd, 8));
  }
  __m512i operator()(__m512i codes) const { return _mm512_add_epi8(product(codes, factor), start); }
};

// Multiplies the scales of groups 4 i + kByte .. of 16 weights into their codes; scales: a dword of
// four for each row.
template <class F, int kByte = 0>
inline void fold_scales(__m512i scales, uint8_t (*q)[kPanelRows][4]) {
  const Fold < kByte,
      F::kOffsetShift<0 ? 0 : 1 << (F::kOffsetShift & 7), F::kFoldedOffset> fold(scales);
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) Simd::store(q[k], fold(Simd::load(q[k])));
  if constexpr (kByte < 3) fold_scales<F, kByte + 1>(scales, q + 4);
}

// sum[t] -= dmin * minima times sums of codes.
template <int T>
[[gnu::always_inline]] inline void subtract_minima(const Folded256<true>& panel,
                                                   const Tile256& tile, int from,
                                                   __m512 (&sum)[T]) {
  __m512i s[T];
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) s[t] = _mm512_setzero_si512();
  const int16_t* a = tile.neg_pairs16[from];
#pragma GCC unroll 8
  for (int p = 0; p < 8; ++p) {
    const __m512i min = _mm512_load_si512(panel.min[p]);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) dot_pairs_broadcast(s[t], min, a + 16 * t + 2 * p);
  }
  const __m512 dmin = _mm512_load_ps(panel.dmin);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) sum[t] = _mm512_fmadd_ps(dmin, _mm512_cvtepi32_ps(s[t]), sum[t]);
}

// sum[t] = d * the sum of 256 products.
template <class F, int T>
[[gnu::always_inline]] inline void sum_folded(const Folded256<F::kHasMin>& panel,
                                              const Tile256& tile, int from, __m512 (&sum)[T]) {
  __m512i s[T];
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t)
    s[t] = _mm512_set1_epi32(F::kFoldedOffset * tile.neg_sum256[from + t]);
  for (int run = 0; run < 8; ++run) {
    const int8_t* a = tile.q[run][from];
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) {
      const __m512i w = _mm512_load_si512(panel.q[8 * run + k]);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) dot_broadcast(s[t], w, a + 32 * t + 4 * k);
    }
  }
  const __m512 d = _mm512_load_ps(panel.d);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) sum[t] = _mm512_mul_ps(d, _mm512_cvtepi32_ps(s[t]));
}

// Tokens from .. from + T - 1.
template <class F, int T>
void multiply_folded_tokens(const Folded256<F::kHasMin>* panel, const Tile256* tile, int n_blocks,
                            int from, __mmask16 rows, float* out, size_t out_stride) {
  __m512 acc[T];
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) acc[t] = _mm512_maskz_loadu_ps(rows, out + t * out_stride);
  for (int b = 0; b < n_blocks; ++b) {
    __m512 sum[T];
    sum_folded<F>(panel[b], tile[b], from, sum);
    if constexpr (F::kHasMin) subtract_minima(panel[b], tile[b], from, sum);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t)
      acc[t] = _mm512_fmadd_ps(sum[t], _mm512_set1_ps(tile[b].d[from + t]), acc[t]);
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) _mm512_mask_storeu_ps(out + t * out_stride, rows, acc[t]);
}

// See multiply256. Eight tokens at once: their sums, of codes and of blocks, all stay in registers.
template <class F>
void multiply_folded(const Folded256<F::kHasMin>* panel, const Tile256* tile, int n_blocks,
                     int n_rows, int n_tokens, float* out, size_t out_stride) {
  const auto rows = static_cast<__mmask16>((1u << n_rows) - 1);
  for_tokens<8>(n_tokens, [&](int t, auto n) {
    multiply_folded_tokens<F, decltype(n)::value>(panel, tile, n_blocks, t, rows,
                                                  out + t * out_stride, out_stride);
  });
}

}  // namespace nibble::quant::NIBBLE_ISA
