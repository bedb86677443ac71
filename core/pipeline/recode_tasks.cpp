#include "core/pipeline/recode_tasks.h"

#include <algorithm>

namespace nibble {
namespace {

constexpr int64_t kTaskWeights = 64 * 1024;

int64_t rows_of_matrix(const Shape& s) {
  return s.n_dims >= 2 ? s.dim[static_cast<size_t>(s.n_dims) - 2] : 1;
}

}  // namespace

std::vector<RecodeTask> make_recode_tasks(std::span<const RecodeJob> jobs) {
  std::vector<RecodeTask> tasks;
  for (size_t j = 0; j < jobs.size(); ++j) {
    const Shape& shape = jobs[j].source.shape;
    const int64_t n_rows = rows_of_matrix(shape), n_matrices = shape.n_rows() / n_rows;
    const int64_t step = std::max<int64_t>(1, kTaskWeights / shape.n_cols());
    for (int64_t m = 0; m < n_matrices; ++m)
      for (int64_t row = 0; row < n_rows; row += step)
        tasks.push_back({j, m, m * n_rows + row, std::min(step, n_rows - row)});
  }
  return tasks;
}

}  // namespace nibble
