// Row products of 16-bit float weights with f32 activations, straight from the file's bytes. W:
// what a format's file says about its numbers:
//   load(const std::byte*)    kLanes of them as f32
#pragma once

#include <cstddef>
#include <cstring>

#include "quant/isa/lanes.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

namespace lanes = kernels::NIBBLE_ISA;
using Lanes = lanes::F;

// Numbers added up side by side: four vectors where they are wide.
inline constexpr int kSideSums = 4, kSumStep = kSideSums * lanes::kLanes;
static_assert(kRowStep % kSumStep == 0);

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
  for (; i + lanes::kLanes <= n; i += lanes::kLanes) lanes::store(out + i, W::load(in + 2 * i));
  if (i == n) return;
  std::byte rest[2 * lanes::kLanes] = {};
  float values[lanes::kLanes];
  std::memcpy(rest, in + 2 * i, static_cast<size_t>(2 * (n - i)));
  lanes::store(values, W::load(rest));
  std::memcpy(out + i, values, sizeof(float) * static_cast<size_t>(n - i));
}

// kRows rows from `first` with kTokens tokens from `token`.
template <class W, int kRows, int kTokens>
void gemv_float16_rows(const RowProduct& p, int first, int token) {
  constexpr size_t kStepBytes = 2 * kSumStep, kAhead = 16384;  // beyond the rows, into L2
  const std::byte* w = p.w + first * p.row_bytes;
  const std::byte* ahead = w + kRows * p.row_bytes + kAhead;
  const int n_steps = p.n_cols / kSumStep;
  const size_t rest = 2 * static_cast<size_t>(p.n_cols % kSumStep);
  Lanes sums[kTokens][kRows][kSideSums] = {};
  const auto add = [&](const std::byte* weights, int i, int step) __attribute__((always_inline)) {
    for (int k = 0; k < kSideSums; ++k) {
      const Lanes v = W::load(weights + 2 * k * lanes::kLanes);
      for (int t = 0; t < kTokens; ++t) {
        const auto* x = reinterpret_cast<const float*>(p.x + (token + t) * p.x_bytes);
        sums[t][i][k] =
            lanes::fma(v, lanes::load(x + step * kSumStep + k * lanes::kLanes), sums[t][i][k]);
      }
    }
  };
  const auto prefetch = [&](int step) {
    for (size_t at = 0; at < kRows * kStepBytes; at += 64)
      __builtin_prefetch(ahead + step * kRows * kStepBytes + at, 0, 2);
  };
  for (int s = 0; s < n_steps; ++s) {
    prefetch(s);
    for (int i = 0; i < kRows; ++i) add(w + i * p.row_bytes + s * kStepBytes, i, s);
  }
  if (rest) prefetch(n_steps);
  for (int i = 0; i < kRows; ++i) {
    if (rest) {  // the missing numbers are zero, as those of x are
      std::byte last[kStepBytes] = {};
      std::memcpy(last, w + i * p.row_bytes + n_steps * kStepBytes, rest);
      add(last, i, n_steps);
    }
    for (int t = 0; t < kTokens; ++t) {
      const auto& s = sums[t][i];
      p.y[(token + t) * p.y_stride + first + i] = sum_of_lanes((s[0] + s[1]) + (s[2] + s[3]));
    }
  }
}

template <class W, int kTokens>
void gemv_float16_tokens(const RowProduct& p, int token) {
  for (int r = 0; r < p.n_rows; ++r) gemv_float16_rows<W, 1, kTokens>(p, r, token);
}

// Four tokens share one pass over the rows, which are few enough to stay close to the core.
template <class W>
void gemv_float16(const RowProduct& p) {
  int t = 0;
  for (; t + 4 <= p.n_tokens; t += 4) gemv_float16_tokens<W, 4>(p, t);
  for (; t < p.n_tokens; ++t) gemv_float16_tokens<W, 1>(p, t);
}

}  // namespace nibble::quant::NIBBLE_ISA
