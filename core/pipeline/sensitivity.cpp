#include "core/pipeline/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/printable.h"
#include "core/pipeline/encode_rows.h"
#include "core/pipeline/recipe_input.h"

namespace nibble {
namespace {

// Weights of a tensor that are looked at: a sample of rows stands for all. How far its losses are
// from the whole tensor's has not been measured.
constexpr int64_t kSampleWeights = 24 * 1024;
constexpr int kJobsAtOnce = 16;  // between two questions whether to go on

class Measuring {
 public:
  explicit Measuring(const SensitivityJob& job)
      : job_(job), n_cols_(static_cast<size_t>(job.tensor.shape.n_cols())) {}

  // Empty where a weight is no finite number.
  std::vector<double> run() {
    const int64_t n_rows = job_.tensor.shape.n_rows();
    const int64_t n = std::clamp<int64_t>(kSampleWeights / job_.tensor.shape.n_cols(), 1, n_rows);
    std::vector<double> lost(job_.formats.size());
    double all = 0;
    row_.resize(n_cols_);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t r = (2 * i + 1) * n_rows / (2 * n);
      decode_rows(job_.tensor, r, 1, row_.data());
      const float* importance = importance_of(r);
      const double squares = weigh(row_, importance);
      if (!std::isfinite(squares)) return {};
      all += squares;
      for (size_t f = 0; f < lost.size(); ++f) lost[f] += loss(*job_.formats[f], importance);
    }
    for (double& l : lost) l = all > 0 ? l / all : 0;
    return lost;
  }

 private:
  const float* importance_of(int64_t row) const {
    if (job_.importance.empty()) return nullptr;
    const bool shared = job_.importance.size() == n_cols_;
    const int64_t rows = job_.tensor.shape.n_rows() / n_matrices(job_.tensor.shape);
    return job_.importance.data() + (shared ? 0 : static_cast<size_t>(row / rows) * n_cols_);
  }
  static double weigh(const std::vector<float>& x, const float* importance) {
    double sum = 0;
    for (size_t c = 0; c < x.size(); ++c)
      sum += (importance ? double{importance[c]} : 1.0) * x[c] * x[c];
    return sum;
  }
  double loss(const quant::Format& f, const float* importance) {
    if (&f == job_.tensor.format && !job_.tensor.decoder) return 0;
    bytes_.resize(f.row_bytes(static_cast<int64_t>(n_cols_)));
    lost_.resize(n_cols_);
    encode_rows(f, row_.data(), 1, static_cast<int64_t>(n_cols_), importance, bytes_.data());
    quant::kernels(f).dequantize(bytes_.data(), static_cast<int64_t>(n_cols_), lost_.data());
    for (size_t c = 0; c < n_cols_; ++c) lost_[c] -= row_[c];
    return weigh(lost_, importance);
  }

  const SensitivityJob& job_;
  const size_t n_cols_;
  std::vector<float> row_, lost_;
  std::vector<std::byte> bytes_;
};

}  // namespace

Result<std::vector<std::vector<double>>> measure_losses(std::span<const SensitivityJob> jobs,
                                                        ThreadPool& pool,
                                                        FunctionRef<bool(int done)> go_on) {
  std::vector<std::vector<double>> losses(jobs.size());
  for (size_t first = 0; first < jobs.size(); first += kJobsAtOnce) {
    if (!go_on(static_cast<int>(first))) return fail(ErrorKind::kInterrupted, "interrupted");
    const int n = static_cast<int>(std::min<size_t>(kJobsAtOnce, jobs.size() - first));
    pool.run(n, [&](int i, int) {
      const size_t j = first + static_cast<size_t>(i);
      losses[j] = Measuring(jobs[j]).run();
    });
  }
  for (size_t j = 0; j < jobs.size(); ++j)
    if (losses[j].size() != jobs[j].formats.size())
      return invalid_input("tensor {}: a weight is not a finite number",
                           in_quotes(jobs[j].tensor.name));
  return losses;
}

}  // namespace nibble
