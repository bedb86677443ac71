// Row products of 16-bit float weights with f32 activations, straight from the file's bytes. W:
// what a format's file says about its numbers:
//   to_float(lanes::Words)    kLanes of them as f32
#pragma once

#include <cstddef>
#include <cstring>

#include "quant/isa/lanes.h"
#include "quant/isa/row_group.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

namespace lanes = kernels::NIBBLE_ISA;
using Lanes = lanes::F;

inline constexpr int kStep = 2 * lanes::kLanes, kStepBytes = 2 * kStep;
static_assert(kRowStep % kStep == 0);

// A step of numbers.
struct Two {
  Lanes a, b;
  static Two of_floats(const float* x) { return {lanes::load(x), lanes::load(x + lanes::kLanes)}; }
  template <class W>
  static Two of_words(const std::byte* p) {
    lanes::Words a, b;
    lanes::load_words(p, a, b);
    return {W::to_float(a), W::to_float(b)};
  }
};

// Half of the lanes onto the other half until one is left.
inline float sum_of_lanes(Lanes v) {
  float x[lanes::kLanes];
  std::memcpy(x, &v, sizeof x);
  for (int n = lanes::kLanes / 2; n > 0; n /= 2)
    for (int i = 0; i < n; ++i) x[i] += x[n + i];
  return x[0];
}

// n numbers -> out.
template <class W>
inline void decode_float16(const std::byte* in, int64_t n, float* out) {
  int64_t i = 0;
  for (; i + lanes::kLanes <= n; i += lanes::kLanes)
    lanes::store(out + i, W::to_float(lanes::load_words(in + 2 * i)));
  if (i == n) return;
  std::byte rest[2 * lanes::kLanes] = {};
  float values[lanes::kLanes];
  std::memcpy(rest, in + 2 * i, static_cast<size_t>(2 * (n - i)));
  lanes::store(values, W::to_float(lanes::load_words(rest)));
  std::memcpy(out + i, values, sizeof(float) * static_cast<size_t>(n - i));
}

// How far ahead bytes are asked for: of a row that goes alone (0: not at all), and beyond a group.
// On a Zen 3 these give a BF16 model 10 % more tokens a second with one thread and 13 % more with
// two than 0 and kPrefetch, which is what a Zen 4 wants.
inline constexpr int kAheadAlone = lanes::kRegisters == 16 ? 1024 : 0;
inline constexpr int kAheadGroup = lanes::kRegisters == 16 ? 4096 : kPrefetch;

// kRows rows from `first`, next to each other in memory, with kTokens tokens from `token`.
template <class W, int kRows, int kTokens>
void gemv_float16_rows(const RowProduct& p, int first, int token) {
  const std::byte* w = p.w + first * p.row_bytes;
  const std::byte* ahead = w + kRows * p.row_bytes + kAheadGroup;
  const int n_steps = p.n_cols / kStep;
  Two sums[kTokens][kRows] = {};
  const auto add = [&](const std::byte* at, size_t row_bytes, int step)
      __attribute__((always_inline)) {
    Two x[kTokens];
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t)
      x[t] = Two::of_floats(reinterpret_cast<const float*>(p.x + (token + t) * p.x_bytes) +
                            step * kStep);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Two v = Two::of_words<W>(at + i * row_bytes);
#pragma GCC unroll 4
      for (int t = 0; t < kTokens; ++t) {
        sums[t][i].a = lanes::fma(v.a, x[t].a, sums[t][i].a);
        sums[t][i].b = lanes::fma(v.b, x[t].b, sums[t][i].b);
      }
    }
  };
  for (int s = 0; s < n_steps; ++s) {
    if constexpr (kRows > 1)
      prefetch_run<kRows * kStepBytes>(ahead + s * kRows * kStepBytes);
    else if constexpr (kAheadAlone > 0)
      prefetch_run<kStepBytes>(w + s * kStepBytes + kAheadAlone);
    add(w + s * kStepBytes, p.row_bytes, s);
  }
  if (const size_t rest = 2 * static_cast<size_t>(p.n_cols % kStep)) {
    std::byte last[kRows][kStepBytes] = {};  // the missing numbers are zero, as those of x are
    for (int i = 0; i < kRows; ++i)
      std::memcpy(last[i], w + i * p.row_bytes + n_steps * kStepBytes, rest);
    add(last[0], kStepBytes, n_steps);
  }
  for (int t = 0; t < kTokens; ++t)
    for (int i = 0; i < kRows; ++i)
      p.y[(token + t) * p.y_stride + first + i] = sum_of_lanes(sums[t][i].a + sums[t][i].b);
}

template <class W, int kRows, int kTokens>
void gemv_float16_tokens(const RowProduct& p, int token) {
  int r = 0;
  for (; r + kRows <= p.n_rows; r += kRows) gemv_float16_rows<W, kRows, kTokens>(p, r, token);
  for (; r < p.n_rows; ++r) gemv_float16_rows<W, 1, kTokens>(p, r, token);
}

// Rows together, where they share x: as many as there are registers for their sums. Four tokens
// share one pass over the rows, which are few enough to stay close to the core.
template <class W>
void gemv_float16(const RowProduct& p) {
  constexpr int kRows = lanes::kRegisters / 4;
  const bool one_by_one = stays_in_l1(sizeof(float) * static_cast<size_t>(p.n_cols));
  int t = 0;
  for (; t + 4 <= p.n_tokens; t += 4) gemv_float16_tokens<W, kRows / 4, 4>(p, t);
  for (; t < p.n_tokens; ++t)
    one_by_one ? gemv_float16_tokens<W, 1, 1>(p, t) : gemv_float16_tokens<W, kRows, 1>(p, t);
}

}  // namespace nibble::quant::NIBBLE_ISA
