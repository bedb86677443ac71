// A change of low rank beside a weight matrix: out += B (A x). Hu 2021, arXiv:2106.09685.
#pragma once

#include "core/ops/matmul.h"

namespace nibble {

struct LowRank {
  Matrix a;  // [rank, n_cols], f32
  Matrix b;  // [n_rows, rank], f32, the adapter's scale in it

  int rank() const { return a.n_rows; }
};

}  // namespace nibble
