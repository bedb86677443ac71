// A named tensor in somebody else's memory, usually a mapped file. Never owns.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/tensor/shape.h"
#include "quant/format.h"

namespace nibble {

struct TensorView {
  std::string_view name;
  const quant::Format* format = nullptr;
  Shape shape;
  std::span<const std::byte> bytes;  // n_rows rows of format->row_bytes(n_cols) each, no gaps

  size_t row_bytes() const { return format->row_bytes(shape.n_cols()); }
};

}  // namespace nibble
