// WordPiece (BERT): the longest token at each place of a word, or one unknown token for the whole
// word.
#pragma once

#include <memory>
#include <string>

#include "core/text/subword_model.h"

namespace nibble::text {

struct WordPieceOptions {
  std::string prefix;        // of tokens that do not begin a word
  int64_t longest_word = 0;  // code points
  TokenId unk = kNoToken;
  int n_model = 0;
};

class WordPiece final : public SubwordModel {
 public:
  WordPiece(std::shared_ptr<const Vocabulary> vocabulary, WordPieceOptions options)
      : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {}
  void encode(std::string_view word, ModelScratch& scratch,
              std::vector<TokenId>& out) const override;
  TokenId byte(unsigned char) const override { return kNoToken; }
  std::string_view kind() const override { return "wordpiece"; }

 private:
  std::shared_ptr<const Vocabulary> vocabulary_;
  WordPieceOptions options_;
};

}  // namespace nibble::text
