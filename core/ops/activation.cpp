#include "core/ops/activation.h"

#include "core/ops/kernels/kernels.h"

namespace nibble {

void activate(Activation f, const float* x, int n, float* out) {
  kernels::ops_kernels().activate(f, x, n, out);
}

void activate_gated(Activation f, const float* gate, const float* up, int n, float* out) {
  kernels::ops_kernels().activate_gated(f, gate, up, n, out);
}

void softcap(float* x, int n, float cap) { kernels::ops_kernels().softcap(x, n, cap); }

bool all_finite(const float* x, int n) { return kernels::ops_kernels().all_finite(x, n); }

}  // namespace nibble
