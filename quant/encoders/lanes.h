// Sixteen groups of weights searched side by side, one in each lane.
#pragma once

#include "quant/encoders/vectors.h"
#include "quant/isa/half.h"

namespace nibble::quant::NIBBLE_ISA {

// Half of precision, and wide again.
NIBBLE_INLINE float rounded_to_half(float x) { return half_bits_to_float(float_to_half_bits(x)); }

NIBBLE_INLINE Floats as_halves(Floats x) {
  alignas(64) float v[kLanes];
  *reinterpret_cast<Floats*>(v) = x;
  for (float& value : v) value = rounded_to_half(value);
  return *reinterpret_cast<const Floats*>(v);
}

// kLen weights of each of 16 groups, with what an error of each of them costs.
template <int kLen>
struct Groups {
  Floats x[kLen];
  Floats weight[kLen];
};

struct Source {
  const float* x;           // all rows, one after another
  const float* importance;  // [n_cols] or null
  int64_t n_cols;
  int64_t n_weights;
};

// The 16 groups from group `first` on; lanes beyond the end hold zeros. The
// cost of an error:
//   without importance   1; sigma + |x| loses more in every type of README's table (IQ4_XS: KL
//                        0.361 instead of 0.311)
//   with                 importance * sqrt(sigma^2 + x^2)
// where sigma^2 is the mean square of the kSpan weights (a block) that the
// group belongs to.
template <int kLen, int kSpan>
void load_groups(const Source& in, int64_t first, Groups<kLen>& out) {
  alignas(64) float x[kLen][kLanes] = {}, importance[kLen][kLanes] = {};
  for (int lane = 0; lane < kLanes; ++lane) {
    const int64_t at = (first + lane) * kLen;
    if (at >= in.n_weights) break;
    for (int i = 0; i < kLen; ++i) x[i][lane] = in.x[at + i];
    if (in.importance)
      for (int i = 0; i < kLen; ++i) importance[i][lane] = in.importance[at % in.n_cols + i];
  }
  alignas(64) float squares[kLanes] = {};
  for (int i = 0; i < kLen; ++i) {
    out.x[i] = *reinterpret_cast<const Floats*>(x[i]);
    out.weight[i] = all(1.0f);
    *reinterpret_cast<Floats*>(squares) += out.x[i] * out.x[i];
  }
  if (!in.importance) return;
  constexpr int kTogether = kSpan / kLen;  // lanes of one block
  static_assert(kSpan % kLen == 0 && kLanes % kTogether == 0);
  alignas(64) float mean_square[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    float sum = 0;
    for (int k = 0; k < kTogether; ++k) sum += squares[lane / kTogether * kTogether + k];
    mean_square[lane] = sum / kSpan;
  }
  for (int i = 0; i < kLen; ++i) {
    alignas(64) float root[kLanes];
    *reinterpret_cast<Floats*>(root) =
        *reinterpret_cast<const Floats*>(mean_square) + out.x[i] * out.x[i];
    for (float& r : root) r = __builtin_sqrtf(r);
    out.weight[i] =
        *reinterpret_cast<const Floats*>(root) * *reinterpret_cast<const Floats*>(importance[i]);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
