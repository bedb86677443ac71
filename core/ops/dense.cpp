#include "core/ops/dense.h"

#include <Eigen/Core>
#include <algorithm>

#include "core/ops/kernels/kernels.h"

namespace nibble::dense {
namespace {

static_assert(kRows == kernels::kQueryRows);

// Rows [first, first + n) of w, `padded` apart; rows of zeros after them up to n_padded.
void decode_rows(const Matrix& w, int first, int n, int n_padded, float* out, size_t padded) {
  n = std::max(n, 0);
  if (w.decoder && w.row_step == 1 && n > 0)
    w.decoder->decode(w.first_row + first, n, out, padded);
  else
    for (int r = 0; r < n; ++r) w.decode(first + r, out + r * padded);
  for (int r = 0; r < n_padded; ++r)
    std::fill(out + r * padded + (r < n ? w.n_cols : 0), out + (r + 1) * padded, 0.0f);
}

// [padded, kRows] for the FMA kernels: rows in lanes. Decoded rows, whole ones, which come from
// memory in sequence, take some columns in turn, so that their lines of the panel stay in L1.
void expand_columns(const kernels::OpsKernels& ops, const Matrix& w, int first, int n_rows,
                    float* out) {
  constexpr int kColumns = 64;
  static_assert(kDepth % kColumns == 0 && kRows % kDecodedRows == 0);
  const size_t padded = padded_cols(w.n_cols);
  float* rows = out + kRows * padded;
  const float scales[4] = {1, 1, 1, 1};
  for (int group = 0; group < kRows; group += kDecodedRows) {
    decode_rows(w, first + group, std::min(n_rows - group, kDecodedRows), kDecodedRows, rows,
                padded);
    for (size_t c = 0; c < padded; c += kColumns)
      for (int r = 0; r < kDecodedRows; r += 4) {
        const float* at = rows + r * padded + c;
        const float* const from[4] = {at, at + padded, at + 2 * padded, at + 3 * padded};
        ops.rows_to_tile(from, scales, kColumns, out + c * kRows + group + r);
      }
  }
}

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

void expand(const Matrix& w, int first, int n_rows, float* panel) {
  const kernels::OpsKernels& ops = kernels::ops_kernels();
  if (ops.dense_tile)
    expand_columns(ops, w, first, n_rows, panel);
  else
    decode_rows(w, first, n_rows, kRows, panel, padded_cols(w.n_cols));
}

void multiply_tile(const float* panel, const float* x, size_t padded, int n_tokens, float* out) {
  const kernels::OpsKernels& ops = kernels::ops_kernels();
  if (!ops.dense_tile) return multiply_with_eigen(panel, x, padded, out);
  static_assert(kDepth == kernels::kDenseDepth && kTokens == kernels::kDenseTokens);
  ops.dense_tile(panel, x, padded, n_tokens, out);
}

float dot(const float* w, const float* x, size_t padded) {
  return kernels::ops_kernels().dot(w, x, padded);
}

}  // namespace nibble::dense
