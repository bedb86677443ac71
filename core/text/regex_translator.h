// Rewrites one regular expression; see regex_translate.h. Groups and quantifiers in
// regex_translate.cpp, escapes and classes in regex_members.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace nibble::text {

std::string code_point_escape(char32_t c);

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}
  Result<std::string> translate();

 private:
  // What one escape, or one member of a class, stands for.
  struct Member {
    std::optional<char32_t> code_point;  // a single one, which can begin or end a range
    std::string items;                   // otherwise: items for brackets
    bool negated = false;                // of the items
  };

  bool done() const { return pos_ >= in_.size(); }
  char peek(size_t ahead = 0) const { return pos_ + ahead < in_.size() ? in_[pos_ + ahead] : '\0'; }
  bool accept(std::string_view words) {
    if (!in_.substr(pos_).starts_with(words)) return false;
    pos_ += words.size();
    return true;
  }
  template <class... Args>
  std::unexpected<Error> refuse(fmt::format_string<Args...> format, Args&&... args) const {
    return unsupported("regular expression, byte {}: {}", pos_,
                       fmt::format(format, std::forward<Args>(args)...));
  }
  char32_t take_code_point() {
    const char32_t c = decode_utf8(in_.data() + pos_);
    pos_ += utf8_length(static_cast<unsigned char>(in_[pos_]));
    return c;
  }

  Result<void> alternatives();
  Result<void> quantified();
  // {n}, {n,}, {,m} or {n,m} after the atom that begins at out_[begin]. '+' after it repeats the
  // whole, where PCRE2 would take it for a possessive mark.
  Result<bool> interval_after(size_t begin);
  // One atom; false for what cannot be repeated (an anchor, options).
  Result<bool> atom();
  Result<bool> group();
  Result<bool> escape();
  static std::string bracketed(const Member& member);
  // An escape that stands for code points, inside or outside of a class; at its backslash.
  Result<Member> escaped_member();
  Result<Member> property(bool negated);
  // \xHH, \x{H...} or \uHHHH, after the letter.
  Result<Member> code_point_by_number(char letter);
  // A class after its '['. Gives a pattern that matches one code point.
  Result<std::string> char_class(int depth);
  // Members up to ']' or '&&': one bracket class where that says it, else alternatives of several.
  Result<std::string> class_union(int depth);
  // "c", or "c-d" where a range follows.
  Result<std::string> range_from(char32_t first);
  Result<Member> class_member();

  std::string_view in_;
  std::string out_;
  size_t pos_ = 0;
  int depth_ = 0;
  bool first_atom_ = true;
};

}  // namespace nibble::text
