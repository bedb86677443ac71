// Random numbers and float64 references for the tests of core/ops.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include "core/ops/matmul.h"
#include "quant/dispatch.h"

namespace nibble::tests {

inline std::vector<float> random_values(size_t n, uint64_t seed, float spread = 1.0f) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> values(n);
  for (float& v : values) v = normal(generator);
  return values;
}

inline Rows rows_of(std::vector<float>& values, int rows, int cols) {
  return {values.data(), rows, cols, static_cast<size_t>(cols)};
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Calls f with each instruction set that this machine runs in use.
template <class Function>
void on_each_isa(Function f) {
  for (const std::string_view isa : quant::runnable_isas()) {
    CAPTURE(isa);
    REQUIRE(quant::force_isa(isa));
    f();
  }
}

// A matrix of a format, made of random blocks whose values are neither huge nor tiny, and what it
// decodes to.
struct TestMatrix {
  TestMatrix(const quant::Format& format, int n_rows, int n_cols, uint64_t seed)
      : bytes(n_rows * format.row_bytes(n_cols)), values(static_cast<size_t>(n_rows) * n_cols) {
    std::mt19937_64 generator(seed);
    for (size_t i = 0; i < values.size() / format.block_len; ++i) {
      std::byte* block = bytes.data() + i * format.block_bytes;
      float* decoded = values.data() + i * format.block_len;
      do {
        for (int k = 0; k < format.block_bytes; ++k) block[k] = static_cast<std::byte>(generator());
        quant::kernels(format).dequantize(block, format.block_len, decoded);
      } while (!plausible(decoded, format.block_len));
    }
    matrix = {&format, bytes.data(), n_rows, n_cols};
  }

  static bool plausible(const float* x, int n) {
    float largest = 0;
    for (int i = 0; i < n; ++i) {
      if (!std::isfinite(x[i])) return false;
      largest = std::max(largest, std::abs(x[i]));
    }
    return largest > 1e-3f && largest < 10.0f;
  }

  std::vector<std::byte> bytes;
  std::vector<float> values;
  Matrix matrix;
};

}  // namespace nibble::tests
