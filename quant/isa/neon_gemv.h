// Row products by SDOT in the file's own layout, weights along the lanes. kRows rows go together:
// one prefetch pointer runs through their bytes in address order, since several streams are worse
// than one (see DESIGN.md). kTokens: 1 keeps the sums in registers, 0 takes as many tokens as the
// call has, for which each block is unpacked once.
#pragma once

#include <arm_neon.h>

#include "quant/isa/row_group.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/unpack256.h"

namespace nibble::quant::NIBBLE_ISA {

// Codes that int8 does not hold enter as code - 128, which already is the weight; the others need
// their offset taken off.
template <class F>
inline constexpr bool kSigned = F::kMaxCode > 127;
template <class F>
inline constexpr int kOffsetLeft = kSigned<F> ? -1 : F::kOffsetShift;
template <class F>
[[gnu::always_inline]] inline int8x16_t factors_of(uint8x16_t codes) {
  static_assert(!kSigned<F> || F::kOffsetShift == 7);
  return vreinterpretq_s8_u8(kSigned<F> ? veorq_u8(codes, vdupq_n_u8(128)) : codes);
}

// The sums of four vectors, in their lanes.
[[gnu::always_inline]] inline int32x4_t sums_of_4(const int32x4_t (&s)[4]) {
  return vpaddq_s32(vpaddq_s32(s[0], s[1]), vpaddq_s32(s[2], s[3]));
}

// Four blocks of 32 of one row, unpacked.
template <class F>
struct FourWeights {
  Simd::Bytes lo, hi;
  Simd::Factors factors;
  explicit FourWeights(const std::byte* w) {
    const Simd::Four<sizeof(typename F::Block)> blocks(w);
    F::template unpack_four<Simd>(blocks, lo, hi);
    factors = F::template factors_of_four<Simd>(blocks);
  }
  // The first n blocks; the activations of the others are zero.
  FourWeights(const std::byte* w, int n) : FourWeights(w) {
    const int32x4_t block = {0, 1, 2, 3};
    const uint32x4_t kept = vcltq_s32(block, vdupq_n_s32(n));
    for (float32x4_t* f : {&factors.scales, &factors.minima})
      *f = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(*f), kept));
  }
  [[gnu::always_inline]] void add_to(float32x4_t& acc, const Row32& a) const {
    int32x4_t s[4];
#pragma GCC unroll 4
    for (int b = 0; b < 4; ++b) {
      s[b] = vdupq_n_s32(0);
      if constexpr (kOffsetLeft<F> >= 0)
        s[b] = vshlq_n_s32(vld1q_s32(a.neg_sum + 4 * b), kOffsetLeft<F>);
      s[b] = vdotq_s32(s[b], factors_of<F>(lo.v[b]), vld1q_s8(a.lo[b]));
      s[b] = vdotq_s32(s[b], factors_of<F>(hi.v[b]), vld1q_s8(a.hi[b]));
    }
    acc = vfmaq_f32(acc, vcvtq_f32_s32(sums_of_4(s)), vmulq_f32(factors.scales, vld1q_f32(a.d)));
    if constexpr (F::kHasMin) acc = vfmsq_f32(acc, factors.minima, vld1q_f32(a.d_neg_sum));
  }
};

template <class F, int kRows, int kTokens>
void gemv32_rows(const RowProduct& p, int first) {
  constexpr size_t kBlock = sizeof(typename F::Block), kStep = 4 * kBlock;
  const int n_fours = p.n_cols / 128, rest = p.n_cols / 32 % 4;
  const int n_tokens = n_tokens_of<kTokens>(p);
  const std::byte* w = p.w + first * p.row_bytes;
  const std::byte* ahead = w + kRows * p.row_bytes + kPrefetch;
  float32x4_t acc[kMostTokens<kTokens>][kRows] = {};
  const auto add = [&](const FourWeights<F>& weights, int b, int i) __attribute__((always_inline)) {
    for (int t = 0; t < n_tokens; ++t)
      weights.add_to(acc[t][i], reinterpret_cast<const Row32*>(p.x + t * p.x_bytes)[b]);
  };
  // The blocks that are left of a row: what follows them is read as well, but for the last rows.
  const std::byte* const end = p.w + p.n_rows * p.row_bytes;
  const auto add_rest = [&](const std::byte* four, int i) __attribute__((always_inline)) {
    if (four + kStep <= end) return add(FourWeights<F>(four, rest), n_fours, i);
    std::byte copy[kStep] = {};
    std::memcpy(copy, four, rest * kBlock);
    add(FourWeights<F>(copy, rest), n_fours, i);
  };
  for (int b = 0; b < n_fours; ++b) {
    prefetch_run<kStep * kRows>(ahead + kStep * kRows * b);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) add(FourWeights<F>(w + i * p.row_bytes + b * kStep), b, i);
  }
  if (rest) prefetch_run<kStep * kRows>(ahead + kStep * kRows * n_fours);
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
    if (rest) add_rest(w + i * p.row_bytes + n_fours * kStep, i);
    for (int t = 0; t < n_tokens; ++t) p.y[t * p.y_stride + first + i] = vaddvq_f32(acc[t][i]);
  }
}

template <class F>
void gemv32(const RowProduct& p) {
  int r = 0;
  if (p.n_tokens == 1)
    for (; r + 2 <= p.n_rows; r += 2) gemv32_rows<F, 2, 1>(p, r);
  for (; r < p.n_rows; ++r) gemv32_rows<F, 1, 0>(p, r);
}

// One block of 256 of one row, unpacked.
template <class F>
struct BlockWeights {
  static constexpr bool k16 = F::kGroup == 16;
  static constexpr int kQuads = 64 / F::kGroup;  // fours of groups
  Simd::Bytes q[4];
  int32x4_t scales[kQuads];
  int16x8_t mins[kQuads / 2];
  float d, dmin;

  explicit BlockWeights(const typename F::Block& block) : d(F::scale(block)) {
    unpack_row256<F, Simd>(block, q);
    int8_t scale[16], min[16];
    F::groups(block, scale, min);
#pragma GCC unroll 2
    for (int i = 0; i < kQuads / 2; ++i) {
      const int16x8_t words = vmovl_s8(vld1_s8(scale + 8 * i));
      scales[2 * i] = vmovl_s16(vget_low_s16(words));
      scales[2 * i + 1] = vmovl_high_s16(words);
      if constexpr (F::kHasMin) mins[i] = vmovl_s8(vld1_s8(min + 8 * i));
    }
    if constexpr (F::kHasMin) dmin = F::dmin(block);
  }

  // sum + 16 codes of one run, the first or the second half.
  [[gnu::always_inline]] int32x4_t add_half_run(int32x4_t sum, int run, int half,
                                                const Row256& a) const {
    const int at = kRunAt[run] + 16 * half;
    return vdotq_s32(sum, factors_of<F>(q[at / 64].v[at % 64 / 16]),
                     vld1q_s8(a.q[at / 64] + at % 64));
  }
  [[gnu::always_inline]] int32x4_t group_sum(int g, const Row256& a) const {
    const int32x4_t zero = vdupq_n_s32(0);
    if constexpr (k16) return add_half_run(zero, g / 2, g % 2, a);
    return add_half_run(add_half_run(zero, g, 0, a), g, 1, a);
  }

  [[gnu::always_inline]] void add_to(float32x4_t& acc, const Row256& a) const {
    const int16_t* neg = k16 ? a.neg_sum16 : a.neg_sum32;
    int32x4_t sum = vdupq_n_s32(0), minima = sum;
#pragma GCC unroll 4
    for (int i = 0; i < kQuads; ++i) {
      const int g = 4 * i;
      int32x4_t groups = sums_of_4(
          {group_sum(g, a), group_sum(g + 1, a), group_sum(g + 2, a), group_sum(g + 3, a)});
      if constexpr (kOffsetLeft<F> >= 0)
        groups = vaddq_s32(groups, vshll_n_s16(vld1_s16(neg + g), kOffsetLeft<F>));
      sum = vmlaq_s32(sum, groups, scales[i]);
    }
    acc = vfmaq_n_f32(acc, vcvtq_f32_s32(sum), d * a.d);
    if constexpr (F::kHasMin) {
#pragma GCC unroll 2
      for (int i = 0; i < kQuads / 2; ++i) {
        const int16x8_t eight = vld1q_s16(neg + 8 * i);
        minima = vmlal_s16(minima, vget_low_s16(mins[i]), vget_low_s16(eight));
        minima = vmlal_high_s16(minima, mins[i], eight);
      }
      acc = vfmaq_n_f32(acc, vcvtq_f32_s32(minima), dmin * a.d);
    }
  }
};

template <class F, int kRows, int kTokens>
void gemv256_rows(const RowProduct& p, int first) {
  using Block = typename F::Block;
  const int n_blocks = p.n_cols / 256, n_tokens = n_tokens_of<kTokens>(p);
  const std::byte* w = p.w + first * p.row_bytes;
  const std::byte* ahead = w + kRows * p.row_bytes + kPrefetch;
  float32x4_t acc[kMostTokens<kTokens>][kRows] = {};
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<sizeof(Block) * kRows>(ahead + sizeof(Block) * kRows * b);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const BlockWeights<F> weights(
          *reinterpret_cast<const Block*>(w + i * p.row_bytes + sizeof(Block) * b));
      for (int t = 0; t < n_tokens; ++t)
        weights.add_to(acc[t][i], reinterpret_cast<const Row256*>(p.x + t * p.x_bytes)[b]);
    }
  }
  for (int t = 0; t < n_tokens; ++t)
    for (int i = 0; i < kRows; ++i) p.y[t * p.y_stride + first + i] = vaddvq_f32(acc[t][i]);
}

template <class F>
void gemv256(const RowProduct& p) {
  int r = 0;
  if (p.n_tokens == 1)
    for (; r + 2 <= p.n_rows; r += 2) gemv256_rows<F, 2, 1>(p, r);
  for (; r < p.n_rows; ++r) gemv256_rows<F, 1, 0>(p, r);
}

}  // namespace nibble::quant::NIBBLE_ISA
