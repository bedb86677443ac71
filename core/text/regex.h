// Regular expressions as tokenizer files write them, matched by PCRE2 (JIT, UTF, Unicode
// properties) under a budget.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/base/error.h"

namespace nibble::text {

// What matching needs for itself; one for each thread at a time.
class RegexScratch {
 public:
  RegexScratch();
  ~RegexScratch();
  RegexScratch(const RegexScratch&) = delete;
  RegexScratch& operator=(const RegexScratch&) = delete;

 private:
  friend class Regex;
  struct State;
  std::unique_ptr<State> state_;
};

class Regex {
 public:
  enum class Outcome { kMatch, kNone, kOverBudget };
  struct Match {
    size_t begin, end;
  };

  // Fails with kUnsupported on what cannot be matched as Oniguruma would.
  static Result<Regex> compile(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // The first match in text (valid UTF-8) that begins at from or later. kOverBudget: the match was
  // given up.
  Outcome find(std::string_view text, size_t from, RegexScratch& scratch, Match& match) const;

 private:
  struct State;
  explicit Regex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nibble::text
