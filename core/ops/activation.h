// Activation functions on one row, f32; errors of a few ulp of the formula.
#pragma once

namespace nibble {

enum class Activation {
  kSilu,      // x * sigmoid(x)
  kGeluTanh,  // x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
  kGeluErf,   // x/2 * (1 + erf(x / sqrt(2)))
  kRelu,
};

// out[i] = f(x[i])
void activate(Activation f, const float* x, int n, float* out);
// out[i] = f(gate[i]) * up[i]; out may be gate or up.
void activate_gated(Activation f, const float* gate, const float* up, int n, float* out);
// x[i] = cap * tanh(x[i] / cap)
void softcap(float* x, int n, float cap);
bool all_finite(const float* x, int n);

}  // namespace nibble
