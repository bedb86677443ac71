// Rows of f32 values in somebody else's memory: activations. [rows, cols], row r at data +
// r * stride.
#pragma once

#include <cstddef>

namespace nibble {

struct Rows {
  float* data = nullptr;
  int rows = 0;
  int cols = 0;
  size_t stride = 0;  // in floats, >= cols

  float* row(int r) const { return data + static_cast<size_t>(r) * stride; }
};

struct ConstRows {
  const float* data = nullptr;
  int rows = 0;
  int cols = 0;
  size_t stride = 0;

  ConstRows() = default;
  ConstRows(const float* d, int r, int c, size_t s) : data(d), rows(r), cols(c), stride(s) {}
  ConstRows(const Rows& x)  // NOLINT: a view of a view
      : data(x.data), rows(x.rows), cols(x.cols), stride(x.stride) {}
  const float* row(int r) const { return data + static_cast<size_t>(r) * stride; }
};

}  // namespace nibble
