// A tokenizer put together from its parts, wherever they were read from.
#pragma once

#include <memory>
#include <vector>

#include "core/base/json.h"
#include "core/text/added_tokens.h"
#include "core/text/affixes.h"
#include "core/text/decoder.h"
#include "core/text/normalize.h"
#include "core/text/pretokenize.h"
#include "core/text/subword_model.h"
#include "core/text/tokenizer.h"

namespace nibble::text {

// What a file says of a tokenizer. pipeline has the members of a tokenizer.json, the model's
// without vocab and merges.
struct TokenizerSource {
  std::shared_ptr<const Vocabulary> vocabulary;  // added tokens included
  int n_model = 0;                               // ids below are the model's own
  MergeTable merges;                             // BPE by merges
  std::vector<uint32_t> ranks;                   // BPE by scores: see Bpe
  std::vector<double> scores;                    // Unigram
  std::vector<AddedToken> added;
  Json pipeline;
  std::optional<TokenId> bos, eos;
  std::optional<TokenId> unk, pad;  // that the files beside the tokenizer name
  std::vector<TokenId> ends;        // more ends of generation
  std::vector<TokenId> control;  // hidden from readers, besides the added tokens that are special
};

Result<std::unique_ptr<Tokenizer>> make_tokenizer(TokenizerSource source);

}  // namespace nibble::text
