#include "core/sample/sampler.h"

#include <algorithm>
#include <cmath>

namespace nibble {
namespace {

// The likelier first; of equals the lower id.
constexpr auto kBefore = [](const auto& a, const auto& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
};

}  // namespace

Sampler::Sampler(const SamplerSettings& settings, int n_vocab)
    : settings_(settings), generator_(settings.seed), counts_(static_cast<size_t>(n_vocab)) {
  if (settings.repeat_last_n > 0) history_.reserve(static_cast<size_t>(settings.repeat_last_n));
  candidates_.reserve(static_cast<size_t>(n_vocab));
}

void Sampler::ban(std::span<const int32_t> tokens) {
  banned_.assign(tokens.begin(), tokens.end());
  std::ranges::sort(banned_);
}

void Sampler::accept(int32_t token) {
  if (settings_.repeat_last_n == 0) return;
  ++counts_[static_cast<size_t>(token)];
  if (settings_.repeat_last_n < 0) return;
  if (history_.size() < static_cast<size_t>(settings_.repeat_last_n)) {
    history_.push_back(token);
    return;
  }
  --counts_[static_cast<size_t>(history_[history_at_])];
  history_[history_at_] = token;
  history_at_ = (history_at_ + 1) % history_.size();
}

// Keskar 2019, arXiv:1909.05858, as llama.cpp has it; presence and frequency as OpenAI's API.
float Sampler::penalized(float logit, int count) const {
  if (count == 0) return logit;
  logit = logit > 0 ? logit / settings_.repeat_penalty : logit * settings_.repeat_penalty;
  return logit - settings_.presence_penalty -
         settings_.frequency_penalty * static_cast<float>(count);
}

// The k likeliest tokens into candidates_, sorted: a heap whose front is the least likely of them.
void Sampler::collect(std::span<const float> logits, size_t k) {
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    const float logit = penalized(logits[i], counts_[i]);
    if (candidates_.size() == k && logit <= candidates_.front().logit) continue;
    const auto id = static_cast<int32_t>(i);
    if (std::ranges::binary_search(banned_, id)) continue;
    if (candidates_.size() == k) {
      std::ranges::pop_heap(candidates_, kBefore);
      candidates_.pop_back();
    }
    candidates_.push_back({id, logit, 0});
    if (k < logits.size()) std::ranges::push_heap(candidates_, kBefore);
  }
  std::ranges::sort(candidates_, kBefore);
}

// p = softmax(logit / temperature) over candidates_, not divided by the sum that it returns.
double Sampler::weigh(float temperature) {
  double sum = 0;
  for (Candidate& c : candidates_) {
    c.p = std::exp((c.logit - candidates_.front().logit) / temperature);
    sum += c.p;
  }
  return sum;
}

void Sampler::cut_top_p() {
  if (settings_.top_p >= 1) return;
  const double wanted = settings_.top_p * weigh(1);
  double sum = 0;
  size_t n = 0;
  while (n < candidates_.size() && (n == 0 || sum < wanted)) sum += candidates_[n++].p;
  candidates_.resize(n);
}

void Sampler::cut_min_p() {
  if (settings_.min_p <= 0) return;
  const float least = candidates_.front().logit + std::log(settings_.min_p);
  while (candidates_.size() > 1 && candidates_.back().logit < least) candidates_.pop_back();
}

int32_t Sampler::sample(std::span<const float> logits) {
  const bool greedy = settings_.temperature <= 0;
  const size_t k = greedy ? 1 : static_cast<size_t>(std::max(0, settings_.top_k));
  collect(logits, k == 0 ? logits.size() : std::min(k, logits.size()));
  if (candidates_.empty()) return 0;  // all are banned
  if (greedy) return candidates_.front().id;
  cut_top_p();
  cut_min_p();
  double left = weigh(settings_.temperature) * static_cast<double>(generator_() >> 11) * 0x1p-53;
  for (const Candidate& c : candidates_) {
    if (left < c.p) return c.id;
    left -= c.p;
  }
  return candidates_.back().id;
}

}  // namespace nibble
