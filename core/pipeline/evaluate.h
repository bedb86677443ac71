// What `nibble eval` computes: logits over given tokens, greedy continuations, perplexity.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/engine.h"

namespace nibble {

// Logits of each token of a sequence that starts with an empty cache, in order. sink false:
// kInterrupted.
Result<void> eval_logits(Engine& engine, std::span<const TokenId> tokens, Engine::LogitsSink sink);

// The n ids that follow greedily, generated one at a time through the cache; of equals the lowest
// id.
Result<std::vector<TokenId>> eval_greedy(Engine& engine, std::span<const TokenId> tokens, int n);

// Tokens cut into windows as llama-perplexity does: whole windows of n tokens, each from an empty
// cache, its first token replaced by BOS where the model adds one. Scored are the predictions made
// at positions n/2 to n-2.
struct EvalWindows {
  int n = 512;
  int n_windows = 0;
  std::vector<TokenId> tokens;  // n_windows * n

  int first_scored() const { return n / 2; }
  int scored_per_window() const { return n - 1 - n / 2; }
};
// Fails (kInvalidInput) when the text is shorter than two windows.
Result<EvalWindows> make_windows(const Tokenizer& tokenizer, std::string_view text, int n);

// One scored prediction: the token that came next and the logits it was predicted with.
struct Prediction {
  int window = 0;
  int position = 0;  // in the window
  TokenId next = 0;
  std::span<const float> logits;
};
using PredictionSink = FunctionRef<bool(const Prediction& prediction)>;
// Runs all windows. sink false, or go_on(), which is asked often: kInterrupted. The engine's
// context must hold a window.
Result<void> eval_windows(Engine& engine, const EvalWindows& windows, PredictionSink sink,
                          FunctionRef<bool()> go_on);

struct Perplexity {
  double perplexity = 0;  // exp(mean negative log-probability)
  double std_error = 0;   // of the perplexity, from the spread of the predictions
  int64_t n_scored = 0;
  int n_windows = 0;
};
// Gathers the negative log-probabilities of predictions.
class PerplexitySum {
 public:
  explicit PerplexitySum(int n_windows) { sum_.n_windows = n_windows; }
  void add(double negative_log_probability);
  double so_far() const;  // 0 before the first
  Perplexity result() const;

 private:
  Perplexity sum_;  // what is known of it
  double nll_ = 0, squares_ = 0;
};

// progress(windows done, windows, perplexity so far) after each window and often inside of one;
// false: kInterrupted. The perplexity is 0 before the first prediction.
using PerplexityProgress = FunctionRef<bool(int done, int total, double so_far)>;
Result<Perplexity> eval_perplexity(Engine& engine, const EvalWindows& windows,
                                   PerplexityProgress progress);

// -log softmax(logits)[id]
double negative_log_probability(std::span<const float> logits, TokenId id);

}  // namespace nibble
