// Guesses at the tokens that come next, for speculative decoding (Leviathan 2023,
// arXiv:2211.17192). A guess costs time when it is wrong, never a different token.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/engine.h"

namespace nibble {

class Drafter {
 public:
  virtual ~Drafter() = default;
  // Reads what is new in text, before guesses are asked for: so that this is not taken for what a
  // guess costs.
  virtual Result<void> prepare(std::span<const TokenId>) { return {}; }
  // At most n tokens that may follow text (not empty), added to `out`; none where it has no guess.
  virtual Result<void> draft(std::span<const TokenId> text, int n, std::vector<TokenId>& out) = 0;
};

// Prompt lookup (Saxena 2023, github.com/apoorvumang/prompt-lookup-decoding): what followed the
// last time that the text's last tokens stood together. Answers that quote, edit or repeat.
class LookupDrafter final : public Drafter {
 public:
  Result<void> draft(std::span<const TokenId> text, int n, std::vector<TokenId>& out) override;

 private:
  void index(std::span<const TokenId> text);

  static constexpr int kMostGram = 3, kLeastGram = 2;  // tokens that must agree
  std::vector<TokenId> indexed_;
  std::unordered_map<uint64_t, size_t>
      follows_;  // hash of a gram -> index of what followed it last
};

// A smaller model with the same vocabulary, greedily, as long as it is sure.
class ModelDrafter final : public Drafter {
 public:
  // engine must outlive the drafter and hold as many tokens as the text will have. n_vocab: tokens
  // that both models know; a text with others gets no guesses.
  ModelDrafter(Engine& engine, int n_vocab) : engine_(engine), n_vocab_(n_vocab) {}
  Result<void> prepare(std::span<const TokenId> text) override;
  Result<void> draft(std::span<const TokenId> text, int n, std::vector<TokenId>& out) override;

 private:
  bool knows(std::span<const TokenId> text) const;
  std::span<const TokenId> fresh_part(std::span<const TokenId> text);
  Result<std::span<const float>> follow(std::span<const TokenId> text);

  static constexpr float kLeastProbability = 0.4f;
  Engine& engine_;
  int n_vocab_;
};

}  // namespace nibble
