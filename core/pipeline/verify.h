// Proves a written file against its source: the hyperparameters field by field, the tokenizer on a
// built-in corpus, the tensors by hash.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "core/text/tokenizer.h"
#include "formats/weight_file.h"

namespace nibble {

struct Verification {
  bool hparams = false;                 // they were compared
  size_t n_texts = 0, n_tensors = 0;    // that were compared
  std::vector<std::string> mismatches;  // one line each, ids included; the first of each kind
  size_t n_mismatches = 0;
};

// Reads both with the family of what was written; nothing where that is not built in and the source
// a GGUF file. source: such a file, or the folder itself. Fails as reading hyperparameters does.
Result<void> verify_hparams(const WeightFile& source, const WeightFile& written, Verification& out);

// Encodes each text of the corpus, and each special token between words, with both; decodes the
// ids; compares BOS, EOS and the tokens that end an answer.
void verify_tokenizer(const Tokenizer& source, const Tokenizer& written, Verification& out);

// digests: XXH3-128 of each tensor as it was written. Fails with kInterrupted.
Result<void> verify_tensors(const WeightFile& written, std::span<const std::string> names,
                            std::span<const std::string> digests, ThreadPool& pool,
                            FunctionRef<bool(uint64_t, uint64_t)> go_on, Verification& out);

}  // namespace nibble
