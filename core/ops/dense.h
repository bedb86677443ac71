// Dense f32 products with weights of any format, which are decoded first, in an order of summation
// that depends on the number of columns alone. Used in exact mode and for formats without kernels
// of their own. F32's kernels where the processor has FMA; else Eigen, in tiles of one fixed shape,
// since it picks its blocking by shape.
#pragma once

#include <cstddef>

#include "core/ops/matmul.h"

namespace nibble::dense {

inline constexpr int kRows = 32;    // weight rows of a panel
inline constexpr int kTokens = 16;  // tokens of a tile
inline constexpr int kDepth = 256;  // columns that Eigen adds up at a time

// Floats of a row of n_cols columns and of the zeros behind them: whole steps of kDepth.
size_t padded_cols(int n_cols);
// Rows [first, first + n_rows) of w, n_rows <= kRows -> a panel of kRows * padded_cols floats,
// padded with zeros.
void expand(const Matrix& w, int first, int n_rows, float* panel);
// out[t * out_stride + r] = sum_c w[r, c] * x[t, c] for r < n_rows, t < n_tokens, which sums do not
// depend on. x: a tile of ActivationKind::kF32.
void multiply_tile(const float* panel, int n_rows, int n_cols, const std::byte* x, int n_tokens,
                   float* out, size_t out_stride);
// One row with one token, both padded.
float dot(const float* w, const float* x, size_t padded);

}  // namespace nibble::dense
