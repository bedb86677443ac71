// A panel's codes times a tile's without VNNI: pair products added in 16 bits as long as they fit
// (avx2_dot.h): with 4-bit codes a whole run of 32, which passes the rate of widening each product.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "quant/isa/avx2_signed.h"
#include "quant/isa/four_tokens.h"
#include "quant/kernels/layout.h"
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

// s[i][h] += 4 kDots codes of rows 8 h .. 8 h + 7, at most kMaxCode each, times token i's at a + 32
// i, times factors[h]. Where two sums of pairs at most fit 16 bits, the weights stay in registers
// and not the pairs.
template <int kMaxCode, int kDots, int N>
[[gnu::always_inline]] inline void dot_codes(const uint8_t (*q)[kPanelRows][4], const int8_t* a,
                                             const __m256i (&factors)[2], __m256i (&s)[N][2]) {
  constexpr int kFit = 32767 / (254 * kMaxCode);
  constexpr int kPower = kFit >= 8 ? 8 : kFit >= 4 ? 4 : kFit >= 2 ? 2 : 1;
  constexpr int kSums = kPower < kDots ? kPower : kDots;
  constexpr int kTogether = kSums <= 2 ? 1 : N;
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
          s[t + i][h] = _mm256_add_epi32(s[t + i][h], _mm256_madd_epi16(pairs[i][h], factors[h]));
          asm("" : "+x"(s[t + i][h]));
        }
      }
    }
  }
}

// s[i][h]: one block of 32 of rows 8 h .. 8 h + 7, without its scale, times token first + i.
template <class F, class Panel, int N>
[[gnu::always_inline]] inline void dot_block32(const Panel& panel, const Tile32& tile, int first,
                                               __m256i (&s)[N][2]) {
  const __m256i ones[2] = {_mm256_set1_epi16(1), _mm256_set1_epi16(1)};
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i)
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      if constexpr (kSplitsSigns<F>)
        s[i][h] = load256(panel.start + 8 * h);
      else
        s[i][h] = start_of<F>(tile.neg_sum[first + i]);
    }
  if constexpr (kSplitsSigns<F>)
    dot_signed(panel, 0, tile.q[first], ones, s);
  else
    dot_codes<F::kMaxCode, 8>(panel.q, tile.q[first], ones, s);
}

// Products of 16 bits are widened by scales as integers.
inline constexpr bool kScalesProducts = true;
template <class F>
using ScaledPanel = std::conditional_t<kSplitsSigns<F>, Signed256, Scaled256<F::kGroup>>;

// Signed bytes kFirst and kSecond of each row's dword as words, by 2^kShift.
template <int kFirst, int kSecond, int kShift>
inline void store_byte_words(int16_t (*to)[2], Simd::Bytes b) {
  const __m256i places = _mm256_add_epi8(  // upper bytes of words; the lower ones are 0
      _mm256_broadcastsi128_si256(_mm_set_epi32(0x0c800c80, 0x08800880, 0x04800480, 0x00800080)),
      _mm256_set1_epi32(kFirst << 8 | kSecond << 24));
  for (int h = 0; h < 2; ++h)
    _mm256_store_si256(reinterpret_cast<__m256i*>(to + 8 * h),
                       _mm256_srai_epi16(_mm256_shuffle_epi8(b.v[h], places), 8 - kShift));
}

// Of groups 4 k .. 4 k + 3 each row's scales and minima, or what stands in for minima where codes
// have an offset.
template <class F>
inline void store_groups(const Simd::Bytes (&scale)[4], const Simd::Bytes (&min)[4],
                         ScaledPanel<F>& out) {
#pragma GCC unroll 4
  for (int g = 0; g < 256 / F::kGroup; g += 4) {
    const Simd::Bytes four = scale[g / 4];
    store_byte_words<0, 0, 0>(out.scale[g], four);
    store_byte_words<1, 1, 0>(out.scale[g + 1], four);
    store_byte_words<2, 2, 0>(out.scale[g + 2], four);
    store_byte_words<3, 3, 0>(out.scale[g + 3], four);
    if constexpr (!kSplitsSigns<F>) {
      constexpr int kShift = F::kHasMin ? 0 : F::kOffsetShift;
      const Simd::Bytes minima = F::kHasMin ? min[g / 4] : four;
      store_byte_words<0, 1, kShift>(out.min[g / 2], minima);
      store_byte_words<2, 3, kShift>(out.min[g / 2 + 1], minima);
    }
  }
}

// sum[h]: minima of rows 8 h .. 8 h + 7 times token t's sums, over all groups.
template <class F>
[[gnu::always_inline]] inline void dot_minima(const Scaled256<F::kGroup>& panel,
                                              const Tile256& tile, int t, __m256i (&sum)[2]) {
  const int16_t* sums = F::kGroup == 16 ? tile.neg_pairs16[t] : tile.neg_pairs32[t];
  sum[0] = sum[1] = _mm256_setzero_si256();
#pragma GCC unroll 8
  for (int p = 0; p < 128 / F::kGroup; ++p) {
    const __m256i pair = broadcast_four(sums + 2 * p);
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h)
      sum[h] = _mm256_add_epi32(sum[h], _mm256_madd_epi16(load256(panel.min[p][8 * h]), pair));
  }
}

// Tokens first .. first + N - 1 of one block of 256.
template <class F, int N, class Panel>
[[gnu::always_inline]] inline void add_block256(const Panel& panel, const Tile256& tile, int first,
                                                Sums& total) {
  __m256i s[N][2];
  for (int i = 0; i < N; ++i) {
    if constexpr (kSplitsSigns<F>)
      s[i][0] = load256(panel.start), s[i][1] = load256(panel.start + 8);
    else if constexpr (F::kHasMin)
      s[i][0] = s[i][1] = _mm256_setzero_si256();
    else
      dot_minima<F>(panel, tile, first + i, s[i]);
  }
  for (int g = 0; g < 256 / F::kGroup; ++g) {
    const int at = g * F::kGroup;
    const int8_t* a = tile.q[at / 32][first] + at % 32;
    const __m256i scale[2] = {load256(panel.scale[g]), load256(panel.scale[g][8])};
    if constexpr (kSplitsSigns<F>)
      dot_signed(panel, g, a, scale, s);
    else
      dot_codes<F::kMaxCode, F::kGroup / 4>(panel.q + at / 4, a, scale, s);
  }
  for (int i = 0; i < N; ++i) {
    const __m256 d = _mm256_set1_ps(tile.d[first + i]);
    __m256i minima[2];
    if constexpr (F::kHasMin) dot_minima<F>(panel, tile, first + i, minima);
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      float* out = total[first + i] + 8 * h;
      const auto add = [&](__m256i dots, const float* scale, __m256 sum) {
        return _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots),
                               _mm256_mul_ps(_mm256_load_ps(scale + 8 * h), d), sum);
      };
      __m256 sum = add(s[i][h], panel.d, _mm256_load_ps(out));
      if constexpr (F::kHasMin) sum = add(minima[h], panel.dmin, sum);
      _mm256_store_ps(out, sum);
    }
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
