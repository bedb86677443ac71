// Dense f32 products with weights of any format: tiles of one fixed shape, so that the order of
// summation depends on the number of columns alone. Used in exact mode and for formats without
// kernels of their own.
#pragma once

#include <cstddef>

#include "quant/format.h"

namespace nibble::dense {

inline constexpr int kTile = 16;    // rows, and tokens, of a tile
inline constexpr int kDepth = 256;  // columns multiplied at a time

// Columns, rounded up to whole steps of kDepth. Buffers below are padded with zeros to this.
constexpr size_t padded_cols(int n_cols) {
  return (static_cast<size_t>(n_cols) + kDepth - 1) / kDepth * kDepth;
}
// n_rows <= kTile rows of weights, row_bytes apart -> out [kTile, padded_cols].
void expand(const quant::Kernels& kernels, const std::byte* w, size_t row_bytes, int n_rows,
            int n_cols, float* out);
// out[t, r] = sum_c w[r, c] * x[t, c]; w, x [kTile, padded_cols], out [kTile, kTile]. padded: a
// number of columns.
void multiply_tile(const float* w, const float* x, size_t padded, float* out);
// One row with one token, both padded.
float dot(const float* w, const float* x, size_t padded);

}  // namespace nibble::dense
