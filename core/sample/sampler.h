// From logits to the next token: penalties, top-k, top-p, min-p, temperature, then one draw from
// one seeded generator. Names, order and defaults are llama.cpp's, so that settings carry over.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "core/sample/settings.h"

namespace nibble {

class Sampler {
 public:
  explicit Sampler(const SamplerSettings& settings, int n_vocab);
  // Tells the sampler of a token that is now part of the text (prompt tokens too).
  void accept(int32_t token);
  // logits [n_vocab], all finite -> a token. Ties go to the lower id, so greedy is the same
  // everywhere; the same seed draws the same tokens on every machine. Allocates nothing.
  int32_t sample(std::span<const float> logits);
  void ban(std::span<const int32_t> tokens);  // they are never drawn (--ignore-eos)

 private:
  struct Candidate {
    int32_t id;
    float logit;
    float p;
  };
  float penalized(float logit, int count) const;
  void collect(std::span<const float> logits, size_t k);
  double weigh(float temperature);
  void cut_top_p();
  void cut_min_p();

  SamplerSettings settings_;
  std::mt19937_64 generator_;
  std::vector<int32_t> history_;  // ring of the last repeat_last_n tokens
  size_t history_at_ = 0;
  std::vector<int32_t> counts_;        // [n_vocab], of the tokens in history_
  std::vector<Candidate> candidates_;  // [n_vocab], scratch
  std::vector<int32_t> banned_;
};

}  // namespace nibble
