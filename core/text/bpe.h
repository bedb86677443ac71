// BPE over a vocabulary: by a list of merges (tokenizer.json, "gpt2" GGUF files) or by scores,
// where any two tokens whose joined text is a token may merge (SentencePiece, tiktoken).
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/text/safe_cuts.h"
#include "core/text/subword_model.h"

namespace nibble::text {

struct BpeOptions {
  bool maps_bytes = false;  // words come as bytes, the vocabulary is in GPT-2's alphabet
  bool ignore_merges = false;
  bool byte_fallback = false;
  bool fuse_unk = false;
  TokenId unk = kNoToken;  // for what has no token; without it that is left out
  std::string continuing_subword_prefix;
  std::string end_of_word_suffix;
  int n_model = 0;  // ids from here on are added tokens, which no word becomes
};

class Bpe final : public SubwordModel {
 public:
  // Exactly one of merges and ranks is filled. ranks: of each token as the result of a merge,
  // kNoRank for never.
  Bpe(std::shared_ptr<const Vocabulary> vocabulary, BpeOptions options, MergeTable merges,
      std::vector<uint32_t> ranks);

  void encode(std::string_view word, ModelScratch& scratch,
              std::vector<TokenId>& out) const override;
  void cut(std::string_view word, FunctionRef<void(std::string_view)> part) const override;
  TokenId byte(unsigned char value) const override { return byte_ids_[value]; }
  std::string_view kind() const override { return ranks_.empty() ? "bpe" : "sentencepiece"; }

 private:
  TokenId find(std::string_view text) const;
  void add_code_points(std::string_view word, std::vector<Symbol>& symbols) const;
  bool add_bytes(std::string_view code_point, std::vector<Symbol>& symbols) const;
  Merge merge_of(std::string_view word, const Symbol& left, const Symbol& right) const;

  std::shared_ptr<const Vocabulary> vocabulary_;
  BpeOptions options_;
  MergeTable merges_;
  std::vector<uint32_t> ranks_;
  std::array<TokenId, 256> byte_ids_;      // of bytes that are no text
  std::array<TokenId, 256> fallback_ids_;  // of those of a code point that has no token
  bool all_bytes_ = true;                  // byte_ids_ has no gaps
  SafeCuts cuts_;
};

}  // namespace nibble::text
