#include "core/pipeline/speculate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/clock.h"

namespace nibble {
namespace {

constexpr int kPlainFirst = 3;     // tokens run alone before the first guess: what one costs
constexpr int kPlainEvery = 48;    // and then again, as the context grows
constexpr int kProbeTokens = 2;    // guesses of a probe
constexpr int kLongestWait = 512;  // a probe then costs less than 1 %
constexpr double kLeastGain = 1.02;
constexpr double kFree = 0.01;  // of a token's time: what looking for a guess may cost in vain

}  // namespace

// Each guess right with the same probability p: 1 + p + ... + p^n tokens come of one step.
double DraftPacer::gain(int n) const {
  const double p = accepted_.get();
  double tokens = 1;
  for (int i = 1; i <= n; ++i) tokens += std::pow(p, i);
  const double plain = plain_s_.get();
  return tokens * plain / (plain + n * (row_s_.get() + draft_s_.get()));
}

int DraftPacer::n_draft(int most) {
  if (most < 1 || n_plain_ < kPlainFirst || wait_ > 0 || n_since_plain_ >= kPlainEvery) return 0;
  if (n_probes_left_ > 0) return std::min(kProbeTokens, most);
  int best = 0;
  double best_gain = kLeastGain;
  for (int n = 1; n <= most; ++n)
    if (const double g = gain(n); g > best_gain) best = n, best_gain = g;
  return best;
}

void DraftPacer::add(const Step& step) {
  ++n_since_plain_;
  if (step.n_drafted == 0) {
    plain_s_.add(step.verify_s);
    ++n_plain_;
    n_since_plain_ = 0;
    wait_ = std::max(0, wait_ - 1);
    if (!step.tried || step.draft_s < kFree * plain_s_.get()) return;
  }
  const int n = step.n_drafted;
  draft_s_.add(step.draft_s, n);
  if (n > 0) {
    row_s_.add(std::max(0.0, step.verify_s - plain_s_.get()), n);
    accepted_.add(step.n_accepted, std::min(step.n_accepted + 1, n));
  }
  if (n_probes_left_ == 0 || --n_probes_left_ == 0) judge();
}

// Whether to go on guessing.
void DraftPacer::judge() {
  double best = 0;
  for (int n = 1; n < Engine::kMostDecoded; ++n) best = std::max(best, gain(n));
  if (best > kLeastGain) {
    next_wait_ = kFirstWait;
    return;
  }
  wait_ = next_wait_;
  next_wait_ = std::min(2 * next_wait_, kLongestWait);
  n_probes_left_ = 2;
}

Speculator::Speculator(Engine& engine, std::unique_ptr<Drafter> drafter)
    : engine_(engine), drafter_(std::move(drafter)) {}
Speculator::~Speculator() = default;

Result<std::span<const float>> Speculator::decode(std::span<const TokenId> text, int n_wanted) {
  if (!drafter_) return engine_.decode(text.back());
  ++n_tokens_;
  if (n_used_ < batch_.size() && batch_[n_used_] == text.back()) return row(n_used_++);
  NIBBLE_CHECK(settle(text.size() - 1));
  return step(text, n_wanted);
}

Result<std::span<const float>> Speculator::step(std::span<const TokenId> text, int n_wanted) {
  int most = engine_.decode_room() - 1;
  if (n_wanted >= 0) most = std::min(most, n_wanted - 1);
  batch_.assign(1, text.back());
  const double start = now_s();
  const int n = pacer_.n_draft(most);
  if (n > 0) NIBBLE_CHECK(drafter_->prepare(text));
  const double prepared = now_s();
  if (n > 0) NIBBLE_CHECK(drafter_->draft(text, n, batch_));
  const double drafted = now_s();
  auto rows = engine_.decode(batch_);
  if (!rows && batch_.size() > 1) {  // a wrong guess may be at fault: logits that are not finite
    batch_.erase(batch_.begin() + 1, batch_.end());
    rows = engine_.decode(batch_);
  }
  if (!rows) {
    batch_.clear();
    return std::unexpected(std::move(rows).error());
  }
  rows_ = *rows;
  n_used_ = 1;
  seconds_ += prepared - start;
  pending_ = {.tried = n > 0,
              .n_drafted = static_cast<int>(batch_.size()) - 1,
              .n_accepted = 0,
              .draft_s = drafted - prepared,
              .verify_s = now_s() - drafted};
  return row(0);
}

Result<void> Speculator::settle(size_t n_text) {
  if (batch_.empty()) return {};
  pending_.n_accepted = static_cast<int>(n_used_) - 1;
  pacer_.add(pending_);
  stats_.n_drafted += pending_.n_drafted;
  stats_.n_accepted += pending_.n_accepted;
  seconds_ += pending_.draft_s + pending_.verify_s;
  if (pending_.n_drafted == 0) plain_s_ += pending_.verify_s, ++n_plain_;
  batch_.clear();
  n_used_ = 0;
  if (std::cmp_greater(engine_.n_past(), n_text)) return engine_.rewind(static_cast<int>(n_text));
  return {};
}

SpeculationStats Speculator::take_stats() {
  if (n_plain_ > 0 && seconds_ > 0) stats_.gain = n_tokens_ * (plain_s_ / n_plain_) / seconds_;
  const SpeculationStats out = stats_;
  stats_ = {};
  n_tokens_ = n_plain_ = 0;
  seconds_ = plain_s_ = 0;
  return out;
}

}  // namespace nibble
