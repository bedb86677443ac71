// tokenizer.json's normalizers: what happens to a text before it is split.
#pragma once

#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/base/json_fwd.h"
#include "core/text/regex.h"
#include "core/text/work_budget.h"

namespace nibble::text {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // Rewrites text (valid UTF-8, and it stays so). begins_text is false for a stretch that continues
  // one across bytes that are no UTF-8: nothing is put before it. Fails (kInvalidInput) when a
  // match or what is made is over budget.
  virtual Result<void> apply(std::string& text, bool begins_text, RegexScratch& scratch,
                             WorkBudget& budget) const = 0;
};

// json: the member "normalizer". Fails with kUnsupported on a type or a setting that is not built
// in.
Result<std::unique_ptr<Normalizer>> read_normalizer(const Json& json);

}  // namespace nibble::text
