// From logits to the next token: penalties, top-k, top-p, min-p, temperature, then one draw from
// one seeded generator. Names, order and defaults are llama.cpp's, so that settings carry over.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace nibble {

struct SamplerSettings {
  float temperature = 0.8f;     // <= 0: greedy
  int top_k = 40;               // 0: off
  float top_p = 0.95f;          // 1: off
  float min_p = 0.05f;          // 0: off
  float repeat_penalty = 1.0f;  // 1: off
  float presence_penalty = 0.0f;
  float frequency_penalty = 0.0f;
  int repeat_last_n = 64;  // tokens the penalties look back on; 0: none, -1: all
  uint64_t seed = 0;       // always the one used
};

class Sampler {
 public:
  explicit Sampler(const SamplerSettings& settings, int n_vocab);
  // Tells the sampler of a token that is now part of the text (prompt tokens too).
  void accept(int32_t token);
  // logits [n_vocab], all finite -> a token. Ties go to the lower id, so greedy is the same
  // everywhere. Allocates nothing. bias: ids to leave out (--ignore-eos).
  int32_t sample(std::span<const float> logits);
  void ban(std::span<const int32_t> tokens);
  // The generator as numbers from the seed: the same seed draws the same tokens on every machine.
  const SamplerSettings& settings() const { return settings_; }

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
