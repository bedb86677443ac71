// Unigram language model (Kudo 2018, arXiv:1804.10959): the segmentation with the highest sum of
// scores.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "core/text/prefix_index.h"
#include "core/text/subword_model.h"

namespace nibble::text {

struct UnigramOptions {
  bool byte_fallback = false;
  TokenId unk = kNoToken;
  int n_model = 0;  // ids from here on are added tokens, which no word becomes
};

class Unigram final : public SubwordModel {
 public:
  // scores: of each id below n_model, a logarithm of a probability.
  Unigram(std::shared_ptr<const Vocabulary> vocabulary, UnigramOptions options,
          std::vector<double> scores);

  void encode(std::string_view word, ModelScratch& scratch,
              std::vector<TokenId>& out) const override;
  TokenId byte(unsigned char value) const override {
    return options_.byte_fallback ? byte_ids_[value] : kNoToken;
  }
  std::string_view kind() const override { return "unigram"; }

 private:
  void score(std::string_view word, ModelScratch& scratch) const;
  void append_unknown(std::string_view text, std::vector<TokenId>& out) const;

  std::shared_ptr<const Vocabulary> vocabulary_;
  UnigramOptions options_;
  std::vector<double> scores_;
  double unk_score_ = 0;
  std::array<TokenId, 256> byte_ids_;
  PrefixIndex index_;
};

}  // namespace nibble::text
