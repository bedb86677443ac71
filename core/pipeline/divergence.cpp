// See divergence.h.
#include "core/pipeline/divergence.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace nibble {
namespace {

constexpr size_t kKeptBytes = size_t{64} << 20;  // of each model's logits

int top_of(std::span<const float> logits) {
  return static_cast<int>(std::ranges::max_element(logits) - logits.begin());
}

// log of the sum of exponentials.
double log_sum(std::span<const float> logits) {
  const float top = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - top);
  return std::log(sum) + top;
}

// What one position says.
struct Score {
  float kl = 0;
  double model_nll = 0, reference_nll = 0;
  bool same_top = false;
};

// The value below which a share of sorted values lies, linear between two of them.
double quantile(std::span<const float> sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto i = static_cast<size_t>(at);
  const size_t next = std::min(i + 1, sorted.size() - 1);
  const double part = at - static_cast<double>(i);
  return (1 - part) * sorted[i] + part * sorted[next];
}

class SideBySide {
 public:
  SideBySide(Engine& model, Engine& reference, const EvalWindows& windows, ThreadPool& pool,
             DivergenceProgress progress)
      : engines_{&model, &reference}, windows_(windows), pool_(pool), progress_(progress) {}

  Result<Divergence> run();

 private:
  std::span<const TokenId> window(int w) const {
    return std::span(windows_.tokens).subspan(static_cast<size_t>(w) * windows_.n, windows_.n);
  }
  bool ask() { return progress_(done_, windows_.n_windows, kl_mean()); }
  double kl_mean() const {
    return scores_.empty() ? 0 : kl_sum_ / static_cast<double>(scores_.size());
  }
  Result<void> run_window(int w);
  Result<void> keep_logits(int which, std::span<const TokenId> tokens, int from);
  void score(std::span<const TokenId> next);
  std::span<const float> logits(int which, int row) const {
    return std::span(kept_[which]).subspan(static_cast<size_t>(row) * n_vocab_, n_vocab_);
  }
  Divergence result() const;

  Engine* const engines_[2];  // the model, the reference
  const EvalWindows& windows_;
  ThreadPool& pool_;
  DivergenceProgress progress_;
  std::vector<float> kept_[2];  // [rows of a piece, n_vocab]
  size_t n_vocab_ = 0;
  std::vector<Score> scores_;
  double kl_sum_ = 0;
  int done_ = 0;
};

// Runs tokens behind those that are there; keeps the logits of those from `from` on.
Result<void> SideBySide::keep_logits(int which, std::span<const TokenId> tokens, int from) {
  kept_[which].clear();
  const auto keep = [&](int, std::span<const float> row) {
    n_vocab_ = row.size();
    kept_[which].insert(kept_[which].end(), row.begin(), row.end());
    return true;
  };
  return engines_[which]->prefill_all(tokens, from, keep, [&](int, int) { return ask(); });
}

void SideBySide::score(std::span<const TokenId> next) {
  const size_t first = scores_.size();
  scores_.resize(first + next.size());
  pool_.run(static_cast<int>(next.size()), [&](int i, int) {
    const auto q = logits(0, i), p = logits(1, i);
    scores_[first + static_cast<size_t>(i)] = {
        static_cast<float>(kl_divergence(p, q)), negative_log_probability(q, next[i]),
        negative_log_probability(p, next[i]), top_of(p) == top_of(q)};
  });
  for (size_t i = first; i < scores_.size(); ++i) kl_sum_ += scores_[i].kl;
}

Result<void> SideBySide::run_window(int w) {
  const auto tokens = window(w);
  const int first = windows_.first_scored(), end = windows_.n - 1;
  for (const int which : {0, 1}) {
    NIBBLE_CHECK(engines_[which]->rewind(0));
    NIBBLE_CHECK(keep_logits(which, tokens.first(first + 1), first));
  }
  if (kept_[0].size() != kept_[1].size())
    return invalid_input("a vocabulary of {} tokens, but the reference's has {}", kept_[0].size(),
                         kept_[1].size());
  const int step = std::max<int>(1, static_cast<int>(kKeptBytes / sizeof(float) / n_vocab_));
  score(tokens.subspan(first + 1, 1));
  for (int at = first + 1; at < end; at += step) {
    const int n = std::min(step, end - at);
    for (const int which : {0, 1}) NIBBLE_CHECK(keep_logits(which, tokens.subspan(at, n), 0));
    score(tokens.subspan(at + 1, n));
  }
  return {};
}

Divergence SideBySide::result() const {
  PerplexitySum model(windows_.n_windows), reference(windows_.n_windows);
  std::vector<float> kl;
  double squares = 0, n_same = 0;
  for (const Score& s : scores_) {
    model.add(s.model_nll);
    reference.add(s.reference_nll);
    kl.push_back(s.kl);
    squares += double{s.kl} * s.kl;
    n_same += s.same_top;
  }
  std::ranges::sort(kl);
  const double n = static_cast<double>(kl.size()), mean = kl_mean(), same = n_same / n;
  return {.model = model.result(),
          .reference = reference.result(),
          .kl_mean = mean,
          .kl_std_error = std::sqrt(std::max(0.0, squares / n - mean * mean) / (n - 1)),
          .kl_median = quantile(kl, 0.5),
          .kl_p99 = quantile(kl, 0.99),
          .kl_p999 = quantile(kl, 0.999),
          .kl_max = kl.back(),
          .top1 = same,
          .top1_std_error = std::sqrt(same * (1 - same) / (n - 1))};
}

Result<Divergence> SideBySide::run() {
  for (int w = 0; w < windows_.n_windows; ++w) {
    NIBBLE_CHECK(run_window(w));
    done_ = w + 1;
    if (!ask()) return fail(ErrorKind::kInterrupted, "interrupted");
  }
  return result();
}

}  // namespace

Json to_json(const Divergence& d) {
  return {{"kl_mean", d.kl_mean},     {"kl_std_error", d.kl_std_error},
          {"kl_median", d.kl_median}, {"kl_p99", d.kl_p99},
          {"kl_p999", d.kl_p999},     {"kl_max", d.kl_max},
          {"top1", d.top1},           {"top1_std_error", d.top1_std_error}};
}

double kl_divergence(std::span<const float> reference, std::span<const float> model) {
  const double log_p = log_sum(reference), log_q = log_sum(model);
  double sum = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double p = reference[i] - log_p;
    sum += std::exp(static_cast<float>(p)) * (p - (model[i] - log_q));
  }
  return std::max(0.0, sum);  // rounding may leave a little less
}

Result<Divergence> eval_divergence(Engine& model, Engine& reference, const EvalWindows& windows,
                                   ThreadPool& pool, DivergenceProgress progress) {
  return SideBySide(model, reference, windows, pool, progress).run();
}

}  // namespace nibble
