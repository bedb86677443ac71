#include "core/ops/dense.h"

#include <Eigen/Core>
#include <algorithm>

namespace nibble::dense {

void expand(const quant::Kernels& kernels, const std::byte* w, size_t row_bytes, int n_rows,
            int n_cols, float* out) {
  const size_t padded = padded_cols(n_cols);
  for (int r = 0; r < kTile; ++r) {
    float* row = out + r * padded;
    if (r < n_rows) kernels.dequantize(w + r * row_bytes, n_cols, row);
    std::fill(row + (r < n_rows ? n_cols : 0), row + padded, 0.0f);
  }
}

// Shapes known when compiled: Eigen then blocks in one way and takes its scratch from the stack.
void multiply_tile(const float* w, const float* x, size_t padded, float* out) {
  using Slab = Eigen::Matrix<float, kTile, kDepth, Eigen::RowMajor>;
  using Stride = Eigen::OuterStride<>;
  using Tile = Eigen::Matrix<float, kTile, kTile, Eigen::RowMajor>;
  const Stride stride(static_cast<Eigen::Index>(padded));
  Eigen::Map<Tile> sum(out);
  sum.setZero();
  for (size_t c = 0; c < padded; c += kDepth) {
    const Eigen::Map<const Slab, 0, Stride> ws(w + c, stride), xs(x + c, stride);
    sum.noalias() += xs * ws.transpose();
  }
}

float dot(const float* w, const float* x, size_t padded) {
  using Vector = Eigen::Matrix<float, kDepth, 1>;
  float sum = 0;
  for (size_t c = 0; c < padded; c += kDepth)
    sum += Eigen::Map<const Vector>(w + c).dot(Eigen::Map<const Vector>(x + c));
  return sum;
}

}  // namespace nibble::dense
