// The dimensions of a tensor, slowest first: a matrix is [n_rows, n_cols], a row is contiguous.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace nibble {

inline constexpr int kMaxDims = 4;

struct Shape {
  int n_dims = 0;
  std::array<int64_t, kMaxDims> dim{};

  int64_t n_cols() const { return n_dims ? dim[n_dims - 1] : 1; }
  int64_t n_rows() const {  // of all matrices together
    int64_t n = 1;
    for (int i = 0; i + 1 < n_dims; ++i) n *= dim[i];
    return n;
  }
  int64_t n_elements() const { return n_rows() * n_cols(); }
  bool operator==(const Shape&) const = default;
};

std::string to_string(const Shape& shape);  // "[576, 1536]"

}  // namespace nibble
