// Norms as a layer's options say.
#pragma once

#include "core/models/architecture.h"
#include "core/models/weights.h"
#include "core/ops/norm.h"

namespace nibble {

inline void apply_norm(NormKind kind, float eps, const Norm& norm, const float* x, int n,
                       float* out) {
  if (kind == NormKind::kRms)
    rms_norm(x, norm.weight, n, eps, out);
  else
    layer_norm(x, norm.weight, norm.bias, n, eps, out);
}

}  // namespace nibble
