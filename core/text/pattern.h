// The "pattern" of tokenizer.json's Split and Replace: {"String": ..} or {"Regex": ..}.
#pragma once

#include <optional>
#include <string>

#include "core/text/fields.h"
#include "core/text/regex.h"

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

// Every match of pattern replaced by content. False: over budget.
bool replace_all(const Pattern& pattern, std::string_view content, std::string& text,
                 RegexScratch& scratch);

}  // namespace nibble::text
