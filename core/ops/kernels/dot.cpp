// The sum of products of two rows.
#include "core/ops/kernels/functions.h"
#include "core/ops/kernels/math.h"

namespace nibble::kernels::NIBBLE_ISA {

float dot(const float* a, const float* b, size_t n) {
  F sums[4] = {};
  for (size_t i = 0; i < n; i += 4 * kLanes)
    for (int k = 0; k < 4; ++k)
      sums[k] = fma(load(a + i + k * kLanes), load(b + i + k * kLanes), sums[k]);
  return sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace nibble::kernels::NIBBLE_ISA
