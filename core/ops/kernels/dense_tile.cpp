// Dense f32 products: weight rows in lanes, tokens broadcast.
#include "core/ops/kernels/functions.h"
#include "core/ops/kernels/outer.h"

namespace nibble::kernels::NIBBLE_ISA {

void dense_tile(const float* w, const float* x, size_t n_cols, float* out) {
  for (int t = 0; t < kDenseTokens; t += kWide)
    for (int r = 0; r < kQueryRows; r += kTileRows) {
      F total[kWide][kVectors] = {};
      for (size_t c = 0; c < n_cols; c += kDenseDepth) {
        F sums[kWide][kVectors] = {};
        add_outer(w + c * kQueryRows + r, kQueryRows, x + t * n_cols + c, n_cols, kDenseDepth,
                  sums);
        for (int j = 0; j < kWide; ++j)
          for (int v = 0; v < kVectors; ++v) total[j][v] += sums[j][v];
      }
      for (int j = 0; j < kWide; ++j)
        for (int v = 0; v < kVectors; ++v)
          store(out + (t + j) * kQueryRows + r + v * kLanes, total[j][v]);
    }
}

float dot(const float* a, const float* b, size_t n) {
  F sums[4] = {};
  for (size_t i = 0; i < n; i += 4 * kLanes)
    for (int k = 0; k < 4; ++k)
      sums[k] = fma(load(a + i + k * kLanes), load(b + i + k * kLanes), sums[k]);
  return sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace nibble::kernels::NIBBLE_ISA
