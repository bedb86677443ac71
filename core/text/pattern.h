// The "pattern" of tokenizer.json's Split and Replace: {"String": ..} or {"Regex": ..}.
#pragma once

#include <optional>
#include <string>

#include "core/text/fields.h"
#include "core/text/regex.h"
#include "core/text/work_budget.h"

namespace nibble::text {

class Pattern {
 public:
  static Result<Pattern> read(const Json& pattern, std::string_view where);
  // The next match at or after from; an empty string matches nowhere.
  Regex::Outcome find(std::string_view text, size_t from, RegexScratch& scratch,
                      Regex::Match& match) const;
  // The string, when it is one.
  std::optional<std::string_view> literal() const;

 private:
  std::string string_;
  std::optional<Regex> regex_;
};

// Every match of pattern replaced by content. Fails (kInvalidInput) when a match or the result is
// over budget, and leaves text as it is then.
Result<void> replace_all(const Pattern& pattern, std::string_view content, std::string& text,
                         RegexScratch& scratch, WorkBudget& budget);

}  // namespace nibble::text
