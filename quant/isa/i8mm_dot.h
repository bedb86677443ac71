// A panel's codes times a tile's by USMMLA (ARMv8.6): two rows of eight unsigned codes times two
// tokens of eight int8, 32 products an instruction, where SDOT has 16.
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <iterator>

#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
inline constexpr int kPanelOffset = F::kOffsetShift;

// An expanded panel's codes -> eight consecutive ones of each row side by side: q[k] and q[k + 1],
// k even, of rows 4 v .. 4 v + 3 become two rows each, at the same place.
template <class Panel>
inline void arrange_codes(Panel& panel) {
  auto& q = panel.q;
  for (int k = 0; k < static_cast<int>(std::size(q)); k += 2)
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      uint8_t *low = q[k][4 * v], *high = q[k + 1][4 * v];
      const uint32x4_t a = vreinterpretq_u32_u8(vld1q_u8(low));
      const uint32x4_t b = vreinterpretq_u32_u8(vld1q_u8(high));
      vst1q_u8(low, vreinterpretq_u8_u32(vzip1q_u32(a, b)));
      vst1q_u8(high, vreinterpretq_u8_u32(vzip2q_u32(a, b)));
    }
}

// sums[p][r]: eight codes of rows 2 r and 2 r + 1 times x[p], eight of two tokens each.
template <int kPairs>
[[gnu::always_inline]] inline void dot_eights(const uint8_t (*q)[kPanelRows][4],
                                              const int8x16_t (&x)[kPairs],
                                              int32x4_t (&sums)[kPairs][8]) {
#pragma GCC unroll 8
  for (int r = 0; r < 8; ++r) {
    const uint8x16_t w = vld1q_u8(q[r % 2][r / 2 * 4]);
#pragma GCC unroll 2
    for (int p = 0; p < kPairs; ++p) sums[p][r] = vusmmlaq_s32(sums[p][r], w, x[p]);
  }
}

// s[i][v] += n codes of rows 4 v .. 4 v + 3 times token i's at a + 32 i. n is a multiple of 16. All
// rows of a token start with the same number; a token without a partner is its own.
template <class F, int n, int N>
[[gnu::always_inline]] inline void dot_tokens(const uint8_t (*q)[kPanelRows][4], const int8_t* a,
                                              int32x4_t (&s)[N][4]) {
  constexpr int kPairs = (N + 1) / 2;
  const auto partner = [](int p) { return 2 * p + 1 < N ? 2 * p + 1 : 2 * p; };
  int32x4_t sums[kPairs][8];
#pragma GCC unroll 2
  for (int p = 0; p < kPairs; ++p)
#pragma GCC unroll 8
    for (int r = 0; r < 8; ++r) sums[p][r] = vzip1q_s32(s[2 * p][0], s[partner(p)][0]);
#pragma GCC unroll 2
  for (int k = 0; k < n; k += 16, q += 4) {
    int8x16_t first[kPairs], second[kPairs];
#pragma GCC unroll 2
    for (int p = 0; p < kPairs; ++p) {
      const int64x2_t t = vreinterpretq_s64_s8(vld1q_s8(a + 64 * p + k));
      const int64x2_t u = vreinterpretq_s64_s8(vld1q_s8(a + 32 * partner(p) + k));
      first[p] = vreinterpretq_s8_s64(vzip1q_s64(t, u));
      second[p] = vreinterpretq_s8_s64(vzip2q_s64(t, u));
    }
    dot_eights(q, first, sums);
    dot_eights(q + 2, second, sums);
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const int32x4_t(&two)[8] = sums[i / 2];
      s[i][v] =
          i % 2 ? vuzp2q_s32(two[2 * v], two[2 * v + 1]) : vuzp1q_s32(two[2 * v], two[2 * v + 1]);
    }
}

}  // namespace nibble::quant::NIBBLE_ISA
