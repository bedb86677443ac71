// The register tile of prompt attention: broadcast operands times vectors of rows.
#pragma once

#include "core/ops/kernels/math.h"

namespace nibble::kernels::NIBBLE_ISA {

inline constexpr int kVectors = 2;            // of rows in a register tile
inline constexpr int kWide = kRegisters / 4;  // broadcast operands in a register tile
inline constexpr int kTileRows = kVectors * kLanes;

// sums[j][v] += sum_i x[j * x_stride + i] * lanes[i * lane_stride + v * kLanes ..], i < n, in
// order.
template <int N>
inline void add_outer(const float* lanes, size_t lane_stride, const float* x, size_t x_stride,
                      int n, F (&sums)[N][kVectors]) {
  for (int i = 0; i < n; ++i, lanes += lane_stride) {
    const F a = load(lanes), b = load(lanes + kLanes);
    for (int j = 0; j < N; ++j) {
      const F broadcast = all(x[j * x_stride + i]);
      sums[j][0] = fma(a, broadcast, sums[j][0]);
      sums[j][1] = fma(b, broadcast, sums[j][1]);
    }
  }
}

}  // namespace nibble::kernels::NIBBLE_ISA
