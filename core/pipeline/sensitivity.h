// What tensors would lose in the formats that they might get, measured on some of their rows.
#pragma once

#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "core/tensor/tensor_view.h"

namespace nibble {

struct SensitivityJob {
  TensorView tensor;
  std::vector<const quant::Format*> formats;
  std::span<const float> importance;  // as in RecodeJob
};

// For each job and format: squares lost over squares of the weights, each weighed by its column's
// importance. Which rows are looked at depends on the shape alone. go_on(jobs done) false:
// kInterrupted. Fails (kInvalidInput), naming the tensor, on a number that is not finite.
Result<std::vector<std::vector<double>>> measure_losses(std::span<const SensitivityJob> jobs,
                                                        ThreadPool& pool,
                                                        FunctionRef<bool(int done)> go_on);

}  // namespace nibble
