#include "core/ops/norm.h"

#include <cmath>

#include "core/ops/kernels/kernels.h"

namespace nibble {

void rms_norm(const float* x, const float* weight, int n, float eps, float* out) {
  kernels::ops_kernels().rms_norm(x, weight, n, eps, out);
}

void layer_norm(const float* x, const float* weight, const float* bias, int n, float eps,
                float* out) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) sum += x[i];
  const double mean = sum / n;
  for (int i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const double scale = 1.0 / std::sqrt(squares / n + eps);
  for (int i = 0; i < n; ++i) {
    const float y = static_cast<float>((x[i] - mean) * scale);
    out[i] = y * (weight ? weight[i] : 1.0f) + (bias ? bias[i] : 0.0f);
  }
}

}  // namespace nibble
