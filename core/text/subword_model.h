// The step of a tokenizer that has the vocabulary: one piece of text to ids.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"
#include "core/text/bpe_merge.h"
#include "core/text/vocabulary.h"

namespace nibble::text {

struct ModelScratch {
  BpeScratch bpe;
  std::string mapped;  // a word in GPT-2's alphabet
  std::vector<double> scores;
  std::vector<TokenId> best;
  std::vector<uint32_t> begins;
};

class SubwordModel {
 public:
  virtual ~SubwordModel() = default;
  // Appends the ids of word: valid UTF-8, not empty.
  virtual void encode(std::string_view word, ModelScratch& scratch,
                      std::vector<TokenId>& out) const = 0;
  // Parts of word that can be encoded one by one with the same result.
  virtual void cut(std::string_view word, FunctionRef<void(std::string_view)> part) const {
    part(word);
  }
  // The id of a byte that is not part of valid UTF-8; kNoToken: the model has no bytes.
  virtual TokenId byte(unsigned char value) const = 0;
  virtual std::string_view kind() const = 0;
};

// "<0xNN>", how vocabularies with byte fallback write a byte.
std::string byte_token(unsigned char value);
// The byte that such a text stands for, -1 for other texts.
int byte_of_token(std::string_view text);

}  // namespace nibble::text
