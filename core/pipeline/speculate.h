// Speculative decoding: guesses are run together with the token that is due, and count only where
// the sampler then draws the very same tokens from the model's own logits. What is generated is
// what one token at a time would give, bit for bit; guesses are made while they pay.
#pragma once

#include <memory>

#include "core/pipeline/drafter.h"

namespace nibble {

// How many tokens to guess, from what guessing has cost and brought so far. Seconds are measured
// by the caller.
class DraftPacer {
 public:
  struct Step {
    bool tried = false;  // guesses were asked for, though there may be none
    int n_drafted = 0;
    int n_accepted = 0;
    double draft_s = 0;   // making the guesses
    double verify_s = 0;  // running them and the token before them
  };
  // 0: run the next token alone.
  int n_draft(int most);
  void add(const Step& step);

 private:
  static constexpr int kFirstWait = 16;  // tokens without guesses once they do not pay, then
                                         // doubled
  struct Mean {                          // over about the last ten values
    double sum = 0, weight = 0;
    void add(double total, double n = 1) {
      sum = 0.9 * sum + total;
      weight = 0.9 * weight + n;
    }
    double get() const { return weight > 0 ? sum / weight : 0; }
  };
  double gain(int n) const;  // expected, of n guesses against none
  void judge();

  Mean plain_s_, row_s_, draft_s_;  // of one token alone; what each guess adds to run, to make
  Mean accepted_;                   // share of the guesses looked at
  int n_plain_ = 0, n_since_plain_ = 0;
  int n_probes_left_ = 3;  // > 0: find out what guesses cost
  int wait_ = 0;           // tokens until guesses are tried again
  int next_wait_ = kFirstWait;
};

struct SpeculationStats {
  int n_drafted = 0;
  int n_accepted = 0;
  double gain = 1;  // tokens per second over what they would be without; 1 before that is known
};

class Speculator {
 public:
  // drafter null: every token is run alone.
  Speculator(Engine& engine, std::unique_ptr<Drafter> drafter);
  ~Speculator();

  bool active() const { return drafter_ != nullptr; }
  // text: all that the sequence has, its last token not yet in the engine's cache unless guessed.
  // Returns the logits behind it, as engine.decode(text.back()) does. n_wanted: tokens that will
  // be asked for at most, this one included; < 0: no limit.
  Result<std::span<const float>> decode(std::span<const TokenId> text, int n_wanted);
  // Takes back the guesses that nobody asked for: the engine holds the first n_text tokens.
  Result<void> settle(size_t n_text);
  // Since the last call.
  SpeculationStats take_stats();

 private:
  Result<std::span<const float>> step(std::span<const TokenId> text, int n_wanted);
  std::span<const float> row(size_t i) const {
    return {rows_.row(static_cast<int>(i)), static_cast<size_t>(rows_.cols)};
  }

  Engine& engine_;
  std::unique_ptr<Drafter> drafter_;
  DraftPacer pacer_;
  std::vector<TokenId> batch_;  // the token that was due, then guesses
  ConstRows rows_;              // logits behind each of batch_
  size_t n_used_ = 0;           // of batch_, tokens that turned out right
  DraftPacer::Step pending_;    // of batch_
  SpeculationStats stats_;
  int n_tokens_ = 0;
  double seconds_ = 0, plain_s_ = 0;
  int n_plain_ = 0;
};

}  // namespace nibble
