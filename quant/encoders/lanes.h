// Sixteen groups of weights searched side by side, one in each lane. Written on
// the compiler's vector types: with the same order of operations on every
// instruction set, so that all of them write the same file.
#pragma once

#if defined(NIBBLE_ISA_avx512) || defined(NIBBLE_ISA_avx2)
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>

#include "quant/isa/half.h"

#pragma GCC diagnostic ignored "-Wpsabi"  // nothing here is called across instruction sets

namespace nibble::quant::NIBBLE_ISA {

inline constexpr int kLanes = 16;
typedef float Floats __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));
typedef uint8_t Codes __attribute__((vector_size(16)));
#define NIBBLE_INLINE [[gnu::always_inline]] inline

NIBBLE_INLINE Floats all(float x) { return Floats{} + x; }
// One instruction where there is one, which compilers do not see in a > b ? a :
// b.
NIBBLE_INLINE Floats max(Floats a, Floats b) {
#if defined(NIBBLE_ISA_avx512)
  return _mm512_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}
NIBBLE_INLINE Floats min(Floats a, Floats b) {
#if defined(NIBBLE_ISA_avx512)
  return _mm512_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}
NIBBLE_INLINE Floats clamp(Floats x, float low, float high) {
  return min(max(x, all(low)), all(high));
}
NIBBLE_INLINE Floats magnitude(Floats x) {
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(x) & 0x7fffffff);
}
// To the nearest whole number, ties to even; |x| below 2^22.
NIBBLE_INLINE Floats round(Floats x) { return (x + 0x1.8p23f) - 0x1.8p23f; }
NIBBLE_INLINE Floats inverse(Floats x) { return x == 0.0f ? Floats{} : 1.0f / x; }  // 0 of 0
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
//   without importance   sigma + |x|
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
    *reinterpret_cast<Floats*>(squares) += out.x[i] * out.x[i];
  }
  constexpr int kTogether = kSpan / kLen;  // lanes of one block
  static_assert(kSpan % kLen == 0 && kLanes % kTogether == 0);
  alignas(64) float sigma[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    float sum = 0;
    for (int k = 0; k < kTogether; ++k) sum += squares[lane / kTogether * kTogether + k];
    sigma[lane] = in.importance ? sum / kSpan : __builtin_sqrtf(sum / kSpan);
  }
  const Floats s = *reinterpret_cast<const Floats*>(sigma);
  for (int i = 0; i < kLen; ++i) {
    if (!in.importance) {
      out.weight[i] = s + magnitude(out.x[i]);
      continue;
    }
    alignas(64) float root[kLanes];
    *reinterpret_cast<Floats*>(root) = s + out.x[i] * out.x[i];
    for (float& r : root) r = __builtin_sqrtf(r);
    out.weight[i] =
        *reinterpret_cast<const Floats*>(root) * *reinterpret_cast<const Floats*>(importance[i]);
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
