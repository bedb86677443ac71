#include "core/ops/activation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nibble {
namespace {

float apply(Activation f, float x) {
  constexpr float kSqrt2OverPi = 0.79788456f;
  switch (f) {
    case Activation::kSilu:
      return x / (1.0f + std::exp(-x));
    case Activation::kGeluTanh:
      return 0.5f * x * (1.0f + std::tanh(kSqrt2OverPi * (x + 0.044715f * x * x * x)));
    case Activation::kGeluErf:
      return 0.5f * x * (1.0f + std::erf(x / std::numbers::sqrt2_v<float>));
    case Activation::kRelu:
      return std::max(x, 0.0f);
  }
  return x;
}

}  // namespace

void activate(Activation f, const float* x, int n, float* out) {
  for (int i = 0; i < n; ++i) out[i] = apply(f, x[i]);
}

void activate_gated(Activation f, const float* gate, const float* up, int n, float* out) {
  for (int i = 0; i < n; ++i) out[i] = apply(f, gate[i]) * up[i];
}

void softcap(float* x, int n, float cap) {
  for (int i = 0; i < n; ++i) x[i] = cap * std::tanh(x[i] / cap);
}

}  // namespace nibble
