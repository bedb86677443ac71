#include "core/pipeline/written_error.h"

#include <algorithm>
#include <vector>

#include "core/base/printable.h"
#include "formats/weight_file.h"

namespace nibble {
namespace {

constexpr int64_t kTaskWeights = 64 * 1024;

RecodeError compare(const TensorView& from, const TensorView& to, int64_t first, int64_t n) {
  const auto n_weights = static_cast<size_t>(n * from.shape.n_cols());
  std::vector<float> x(n_weights), y(n_weights);
  decode_rows(from, first, n, x.data());
  decode_rows(to, first, n, y.data());
  RecodeError e;
  for (size_t i = 0; i < n_weights; ++i) {
    const double lost = double{y[i]} - x[i];
    e.sum_squares += double{x[i]} * x[i];
    e.sum_error_squares += lost * lost;
  }
  return e;
}

RecodeError compare_all(const TensorView& from, const TensorView& to, ThreadPool& pool) {
  const int64_t n_rows = from.shape.n_rows();
  const int64_t step = std::max<int64_t>(1, kTaskWeights / from.shape.n_cols());
  std::vector<RecodeError> parts(static_cast<size_t>((n_rows + step - 1) / step));
  pool.run(static_cast<int>(parts.size()), [&](int i, int) {
    parts[static_cast<size_t>(i)] = compare(from, to, i * step, std::min(step, n_rows - i * step));
  });
  RecodeError sum;
  for (const RecodeError& e : parts) {
    sum.sum_squares += e.sum_squares;
    sum.sum_error_squares += e.sum_error_squares;
  }
  return sum;
}

}  // namespace

Result<std::vector<RecodeError>> measure_written(std::span<const RecodeJob> jobs,
                                                 const std::filesystem::path& file,
                                                 ThreadPool& pool) {
  NIBBLE_TRY(const auto written, open_weight_file(file));
  std::vector<RecodeError> errors;
  for (const RecodeJob& job : jobs) {
    const TensorView* tensor = written->find(job.source.name);
    if (!tensor) return corrupt("tensor {} is missing", in_quotes(job.source.name));
    // As recode(), which does not measure what it copies.
    const bool copied = tensor->format == job.source.format;
    errors.push_back(copied ? RecodeError{} : compare_all(job.source, *tensor, pool));
  }
  return errors;
}

}  // namespace nibble
