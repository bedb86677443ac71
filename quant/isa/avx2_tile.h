// A panel's codes times a tile's without VNNI: pair products added in 16 bits as long as they fit
// (avx2_dot.h): with 4-bit codes a whole run of 32, which passes the rate of widening each product.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "quant/isa/avx2_signed.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

// pairs[i][h] = sums of kSums products of two: rows 8 h .. 8 h + 7 times token i's at a + 32 i.
template <int kSums, int N>
[[gnu::always_inline]] inline void sum_pairs(const uint8_t (*q)[kPanelRows][4], const int8_t* a,
                                             __m256i (&pairs)[N][2]) {
#pragma GCC unroll 8
  for (int k = 0; k < kSums; ++k) {
    const __m256i w[2] = {load256(q[k]), load256(q[k][8])};
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      const __m256i x = broadcast_four(a + 32 * i + 4 * k);
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        const __m256i p = _mm256_maddubs_epi16(w[h], x);
        pairs[i][h] = k == 0 ? p : _mm256_add_epi16(pairs[i][h], p);
        asm("" : "+x"(pairs[i][h]));  // g++ would form all products first and spill them
      }
    }
  }
}

// s[i][h]: 4 kDots codes of rows 8 h .. 8 h + 7, at most kMaxCode each, times token i's at a + 32
// i. Where two sums of pairs at most fit 16 bits, the weights stay in registers and not the pairs.
template <int kMaxCode, int kDots, int N>
[[gnu::always_inline]] inline void dot_codes(const uint8_t (*q)[kPanelRows][4], const int8_t* a,
                                             __m256i (&s)[N][2]) {
  constexpr int kFit = 32767 / (254 * kMaxCode);
  constexpr int kPower = kFit >= 8 ? 8 : kFit >= 4 ? 4 : kFit >= 2 ? 2 : 1;
  constexpr int kSums = kPower < kDots ? kPower : kDots;
  constexpr int kTogether = kSums <= 2 ? 1 : N;
  const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
  for (int first = 0; first < kDots; first += kSums) {
#pragma GCC unroll 4
    for (int t = 0; t < N; t += kTogether) {
      __m256i pairs[kTogether][2];
      sum_pairs<kSums>(q + first, a + 32 * t + 4 * first, pairs);
#pragma GCC unroll 4
      for (int i = 0; i < kTogether; ++i) {
#pragma GCC unroll 2
        for (int h = 0; h < 2; ++h) {
          const __m256i wide = _mm256_madd_epi16(pairs[i][h], ones);
          s[t + i][h] = first == 0 ? wide : _mm256_add_epi32(s[t + i][h], wide);
          asm("" : "+x"(s[t + i][h]));
        }
      }
    }
  }
}

// The same of codes from panel.q[from], or of signed weights.
template <class F, int kDots, class Panel, int N>
[[gnu::always_inline]] inline void dot_tokens(const Panel& panel, int from, const int8_t* a,
                                              __m256i (&s)[N][2]) {
  if constexpr (kSplitsSigns<F>)
    dot_signed(panel, from / kDots, a, s);
  else
    dot_codes<F::kMaxCode, kDots>(panel.q + from, a, s);
}

}  // namespace nibble::quant::NIBBLE_ISA
