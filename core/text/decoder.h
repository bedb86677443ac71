// tokenizer.json's decoders: token texts back to text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json_fwd.h"
#include "core/text/regex.h"
#include "core/text/work_budget.h"

namespace nibble::text {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Rewrites the list of texts; joined, they are the decoded text. Fails (kInvalidInput) when a
  // match or what is made is over budget.
  virtual Result<void> apply(std::vector<std::string>& tokens, RegexScratch& scratch,
                             WorkBudget& budget) const = 0;
  // What becomes of one token in the middle of a text, as raw bytes.
  virtual Result<void> piece(std::string& token, RegexScratch& scratch,
                             WorkBudget& budget) const = 0;
};

// json: the member "decoder", or null: texts are joined by spaces then. Fails with kUnsupported on
// a type that is not built in.
Result<std::unique_ptr<Decoder>> read_decoder(const Json& json);

}  // namespace nibble::text
