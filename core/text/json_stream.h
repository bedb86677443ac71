// A tokenizer.json, tens of megabytes of vocabulary and merges, read without a value for each
// string.
#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/json_fwd.h"

namespace nibble::text {

// Who takes what a tokenizer.json says, in this order whatever the order in the file. A failure
// ends the reading.
struct TokenizerJsonReader {
  // Everything but the vocabulary and the merges of the model.
  FunctionRef<Result<void>(Json pipeline)> pipeline;
  // The vocabulary: text and id, or of a list text, place and score. n_bytes of the file bound what
  // ids can be.
  FunctionRef<Result<void>(std::string_view text, uint64_t id, double score)> token;
  FunctionRef<Result<void>()> vocabulary_ends;
  // A merge: two texts, or with a right one that is empty "left right" in one. They live until
  // merges_end returns.
  FunctionRef<Result<void>(std::string_view left, std::string_view right)> merge;
  FunctionRef<Result<void>()> merges_end;
};

// n_readable: bytes that may be read from the text's beginning, those behind its end included;
// where they are fewer than simdjson wants, the text is copied. Fails with kCorrupt or what the
// reader fails with; messages do not name the file.
Result<void> read_tokenizer_json(std::string_view text, size_t n_readable,
                                 const TokenizerJsonReader& reader);

}  // namespace nibble::text
