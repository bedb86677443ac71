#include "core/ops/dense.h"

#include <Eigen/Core>
#include <algorithm>

#include "core/base/assert.h"
#include "core/ops/kernels/kernels.h"

namespace nibble::dense {
namespace {

// Shapes known when compiled: Eigen then blocks in one way and takes its scratch from the stack.
void multiply_with_eigen(const float* w, const float* x, size_t padded, float* out) {
  using Weights = Eigen::Matrix<float, kRows, kDepth, Eigen::RowMajor>;
  using Tokens = Eigen::Matrix<float, kTokens, kDepth, Eigen::RowMajor>;
  using Stride = Eigen::OuterStride<>;
  const Stride stride(static_cast<Eigen::Index>(padded));
  Eigen::Map<Eigen::Matrix<float, kTokens, kRows, Eigen::RowMajor>> sum(out);
  sum.setZero();
  for (size_t c = 0; c < padded; c += kDepth) {
    const Eigen::Map<const Weights, 0, Stride> ws(w + c, stride);
    const Eigen::Map<const Tokens, 0, Stride> xs(x + c, stride);
    sum.noalias() += xs * ws.transpose();
  }
}

}  // namespace

size_t padded_cols(int n_cols) {
  const size_t bytes = quant::activation_kernels(quant::ActivationKind::kF32).row_bytes(n_cols);
  NIBBLE_ASSERT(bytes % (kDepth * sizeof(float)) == 0);
  return bytes / sizeof(float);
}

void expand(const Matrix& w, int first, int n_rows, float* panel) {
  const size_t padded = padded_cols(w.n_cols);
  if (w.decoder && w.row_step == 1)
    w.decoder->decode(w.first_row + first, n_rows, panel, padded);
  else
    for (int r = 0; r < n_rows; ++r) w.decode(first + r, panel + r * padded);
  for (int r = 0; r < kRows; ++r)
    std::fill(panel + r * padded + (r < n_rows ? w.n_cols : 0), panel + (r + 1) * padded, 0.0f);
}

void multiply_tile(const float* panel, int n_rows, int n_cols, const std::byte* x, int n_tokens,
                   float* out, size_t out_stride) {
  const size_t padded = padded_cols(n_cols);
  if (const auto gemm = quant::kernels(*quant::find_format("f32")).gemm)
    return gemm({reinterpret_cast<const std::byte*>(panel), padded * sizeof(float), n_rows, n_cols,
                 x, n_tokens, out, out_stride, nullptr, 0});
  alignas(64) float sums[kTokens * kRows];
  multiply_with_eigen(panel, reinterpret_cast<const float*>(x), padded, sums);
  for (int t = 0; t < n_tokens; ++t) std::copy_n(sums + t * kRows, n_rows, out + t * out_stride);
}

float dot(const float* w, const float* x, size_t padded) {
  return kernels::ops_kernels().dot(w, x, padded);
}

}  // namespace nibble::dense
