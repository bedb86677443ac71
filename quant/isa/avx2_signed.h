// Panels of 8-bit codes without VNNI. Pairs of unsigned codes times int8 do not fit 16 bits, pairs
// of magnitudes do, if the sign goes to the other factor. That takes no multiplication: a ^ -1 is
// -a - 1, so the products of negative weights lack their magnitudes, which a row's sum starts with.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "quant/isa/avx2_bits.h"
#include "quant/isa/avx2_dot.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
inline constexpr bool kSplitsSigns = kSigned<F>;

// Expanded codes q of one run, weight + 128 each, become magnitudes; start[h] += the negative ones'
// times factors[h], of rows 8 h .. 8 h + 7.
inline void split_signs(uint8_t (*q)[kPanelRows][4], uint8_t (*negative)[kPanelRows][4],
                        const __m256i (&factors)[2], __m256i (&start)[2]) {
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    __m256i sum = _mm256_setzero_si256();  // negative: less than nothing
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) {
      const __m256i w = _mm256_xor_si256(load256(q[k][8 * h]), _mm256_set1_epi8(-128));
      const __m256i sign = _mm256_cmpgt_epi8(_mm256_setzero_si256(), w), size = _mm256_abs_epi8(w);
      sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(size, sign));
      _mm256_store_si256(reinterpret_cast<__m256i*>(q[k][8 * h]), size);
      _mm256_store_si256(reinterpret_cast<__m256i*>(negative[k][8 * h]), sign);
    }
    start[h] = _mm256_sub_epi32(start[h], _mm256_madd_epi16(sum, factors[h]));
  }
}
inline void store_start(const __m256i (&start)[2], int32_t (&to)[kPanelRows]) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), start[0]);
  _mm256_store_si256(reinterpret_cast<__m256i*>(to + 8), start[1]);
}
inline void arrange_codes(Signed32& panel) {
  const __m256i ones[2] = {_mm256_set1_epi16(1), _mm256_set1_epi16(1)};
  __m256i start[2] = {};
  split_signs(panel.q, panel.negative, ones, start);
  store_start(start, panel.start);
}
inline void arrange_codes(Signed256& panel) {
  __m256i start[2] = {};
  for (int run = 0; run < 8; ++run)
    split_signs(panel.q + 8 * run, panel.negative + 8 * run,
                {load256(panel.scale[run]), load256(panel.scale[run][8])}, start);
  store_start(start, panel.start);
}

// s[i][h] += a run's weights of rows 8 h .. 8 h + 7 times token i's at a + 32 i, times factors[h].
template <class Panel, int N>
[[gnu::always_inline]] inline void dot_signed(const Panel& panel, int run, const int8_t* a,
                                              const __m256i (&factors)[2], __m256i (&s)[N][2]) {
#pragma GCC unroll 8
  for (int k = 0; k < 8; ++k) {
    const auto &q = panel.q[8 * run + k], &negative = panel.negative[8 * run + k];
    const __m256i w[2] = {load_once(q), load_once(q[8])};
    const __m256i sign[2] = {load_once(negative), load_once(negative[8])};
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      const __m256i x = broadcast_four(a + 32 * i + 4 * k);
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        const __m256i pairs = _mm256_maddubs_epi16(w[h], _mm256_xor_si256(x, sign[h]));
        s[i][h] = _mm256_add_epi32(s[i][h], _mm256_madd_epi16(pairs, factors[h]));
        asm("" : "+x"(s[i][h]));  // g++ would form all products first and spill them
      }
    }
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
