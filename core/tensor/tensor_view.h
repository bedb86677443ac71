// A named tensor in somebody else's memory, usually a mapped file. Never owns.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/tensor/row_decoder.h"
#include "core/tensor/shape.h"
#include "quant/format.h"

namespace nibble {

struct TensorView {
  std::string_view name;
  const quant::Format* format = nullptr;
  Shape shape;
  std::span<const std::byte> bytes;  // n_rows rows of format->row_bytes(n_cols) each, no gaps
  // Where it is set, values come from it alone: format (which then has no kernels) and bytes only
  // tell what is stored.
  const RowDecoder* decoder = nullptr;

  size_t row_bytes() const { return format->row_bytes(shape.n_cols()); }
};

// Rows [first, first + n) of any tensor as f32, [n, n_cols].
void decode_rows(const TensorView& tensor, int64_t first, int64_t n, float* out);

}  // namespace nibble
