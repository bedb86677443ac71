// Dense f32 products with weights of any format, in an order of summation that depends on the
// number of columns alone. Used in exact mode and for formats without kernels of their own. FMA
// kernels where the processor has them; else Eigen, in tiles of one fixed shape, since it picks its
// blocking by shape.
#pragma once

#include <cstddef>

#include "core/ops/matmul.h"

namespace nibble::dense {

inline constexpr int kRows = 32;         // weight rows of a tile
inline constexpr int kTokens = 16;       // tokens of a tile
inline constexpr int kDepth = 256;       // columns added up at a time, at most
inline constexpr int kDecodedRows = 16;  // rows that are decoded before they go to a panel

// Columns, rounded up to whole steps of kDepth. Tokens are padded with zeros to this.
constexpr size_t padded_cols(int n_cols) {
  return (static_cast<size_t>(n_cols) + kDepth - 1) / kDepth * kDepth;
}
// What expand needs behind its output.
constexpr size_t scratch_bytes(int n_cols) {
  return kDecodedRows * padded_cols(n_cols) * sizeof(float);
}
// Rows [first, first + n_rows) of w, n_rows <= kRows -> a panel of kRows * padded_cols floats,
// padded with zeros.
void expand(const Matrix& w, int first, int n_rows, float* panel);
// out[t, r] = sum_c w[r, c] * x[t, c] for t < n_tokens, which sums do not depend on; x and out have
// kTokens rows, of padded and kRows numbers. padded: a number of columns.
void multiply_tile(const float* panel, const float* x, size_t padded, int n_tokens, float* out);
// One row with one token, both padded.
float dot(const float* w, const float* x, size_t padded);

}  // namespace nibble::dense
