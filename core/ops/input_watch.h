// Told what weight matrices are multiplied with while a model runs: for calibration.
#pragma once

#include "core/ops/matmul.h"

namespace nibble {

class InputWatch {
 public:
  virtual ~InputWatch() = default;
  // w, as a model's weights hold it, is multiplied with the rows x [n, w.n_cols]. Called by the
  // thread that runs the model, between phases of its pool.
  virtual void seen(const Matrix& w, ConstRows x) = 0;
};

}  // namespace nibble
