// Elementary functions on vectors. Coefficients: S. Moshier's Cephes library (expf, tanhf).
#pragma once

#include "quant/isa/lanes.h"

namespace nibble::kernels::NIBBLE_ISA {

// e^x within 2 ulp; 0 below -103.97, infinity above 88.73; NaN stays NaN.
inline F exp(F x) {
  const F clamped = x < all(-104.0f) ? all(-104.0f) : x > all(89.0f) ? all(89.0f) : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  const F n = fma(clamped, all(1.44269504f), all(kRound)) - kRound;
  const F r = fma(n, all(2.12194440e-4f), fma(n, all(-0.693359375f), clamped));
  F p = all(1.9875691500e-4f);
  p = fma(p, r, all(1.3981999507e-3f));
  p = fma(p, r, all(8.3334519073e-3f));
  p = fma(p, r, all(4.1665795894e-2f));
  p = fma(p, r, all(1.6666665459e-1f));
  p = fma(p, r, all(5.0000001201e-1f));
  return scale_by_power(fma(p * r, r, r) + 1.0f, n);
}

inline F sigmoid(F x) { return 1.0f / (1.0f + exp(-x)); }

inline F absolute(F x) { return x < all(0) ? -x : x; }

// Odd polynomial near zero, by e^2x elsewhere.
inline F tanh(F x) {
  const F z = x * x;
  F p = all(-5.70498872745e-3f);
  p = fma(p, z, all(2.06390887954e-2f));
  p = fma(p, z, all(-5.37397155531e-2f));
  p = fma(p, z, all(1.33314422036e-1f));
  p = fma(p, z, all(-3.33332819422e-1f));
  const F near = fma(p * z, x, x);
  const F far = 1.0f - 2.0f / (exp(2.0f * absolute(x)) + 1.0f);
  return absolute(x) < all(0.625f) ? near : x < all(0) ? -far : far;
}

// a[0] + a[1] + ..., in pairs.
inline float sum_lanes(F x) {
  float lanes[kLanes];
  store(lanes, x);
  for (int n = kLanes / 2; n > 0; n /= 2)
    for (int i = 0; i < n; ++i) lanes[i] += lanes[i + n];
  return lanes[0];
}

// load(p), but of n < kLanes values; the rest are zeros.
inline F load_some(const float* p, int n) {
  float lanes[kLanes] = {};
  for (int i = 0; i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}
inline void store_some(float* p, F x, int n) {
  float lanes[kLanes];
  store(lanes, x);
  for (int i = 0; i < n; ++i) p[i] = lanes[i];
}

// f(i, n) for all vectors of [0, n_values): the first index, and how many values are left of the
// vector, kLanes but for the last one.
template <class Function>
inline void map_lanes(int n_values, Function f) {
  int i = 0;
  for (; i + kLanes <= n_values; i += kLanes) f(i, kLanes);
  if (i < n_values) f(i, n_values - i);
}
inline F load_n(const float* p, int n) { return n == kLanes ? load(p) : load_some(p, n); }
inline void store_n(float* p, F x, int n) { n == kLanes ? store(p, x) : store_some(p, x, n); }

}  // namespace nibble::kernels::NIBBLE_ISA
