#include "core/text/regex_translate.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text/regex_classes.h"
#include "core/text/regex_translator.h"

namespace nibble::text {

std::string code_point_escape(char32_t c) {
  return fmt::format("\\x{{{:x}}}", static_cast<uint32_t>(c));
}

Result<std::string> Translator::translate() {
  NIBBLE_CHECK(alternatives());
  if (!done()) return refuse("')' without '('");
  return std::move(out_);
}

Result<void> Translator::alternatives() {
  bool has_alternatives = false;
  for (first_atom_ = true; !done() && peek() != ')';) {
    if (accept("|")) {
      out_ += '|';
      has_alternatives = first_atom_ = true;
      continue;
    }
    if (has_alternatives && in_.substr(pos_).starts_with("(?i)"))
      return refuse("'(?i)' inside of alternatives");
    NIBBLE_CHECK(quantified());
    first_atom_ = false;
  }
  return {};
}

Result<void> Translator::quantified() {
  const size_t begin = out_.size();
  NIBBLE_TRY(const bool can_repeat, atom());
  while (!done() && can_repeat) {
    if (peek() == '*' || peek() == '+' || peek() == '?') {
      out_ += in_[pos_++];
      if (peek() == '?' || peek() == '+') out_ += in_[pos_++];
      if (!done() && std::string_view("*+?{").contains(peek()))
        return refuse("a doubled quantifier");
      return {};
    }
    NIBBLE_TRY(const bool interval, interval_after(begin));
    if (!interval) return {};
  }
  return {};
}

Result<bool> Translator::interval_after(size_t begin) {
  if (peek() != '{') return false;
  const size_t end = in_.find('}', pos_);
  if (end == std::string_view::npos) return false;
  const std::string_view body = in_.substr(pos_ + 1, end - pos_ - 1);
  const size_t comma = body.find(',');
  const bool valid = !body.empty() && body != "," && body.size() <= 12 &&
                     body.find_first_not_of("0123456789,") == std::string_view::npos &&
                     (comma == std::string_view::npos || comma == body.rfind(','));
  if (!valid) return false;
  pos_ = end + 1;
  out_ += comma == 0 ? fmt::format("{{0{}}}", body) : fmt::format("{{{}}}", body);
  if (peek() == '?' && comma == std::string_view::npos) return refuse("'?' after '{{n}}'");
  if (peek() == '?') out_ += in_[pos_++];
  if (peek() == '*' || peek() == '+' || peek() == '{') {
    out_.insert(begin, "(?:");
    out_ += ')';
    if (peek() != '{') out_ += in_[pos_++];
  }
  return true;
}

Result<bool> Translator::atom() {
  switch (peek()) {
    case '(':
      return group();
    case '[': {
      ++pos_;
      NIBBLE_TRY(const std::string set, char_class(1));
      out_ += set;
      return true;
    }
    case '\\':
      return escape();
    case '^':
    case '$':  // at every line, as Ruby has it: the caller compiles with PCRE2_MULTILINE
      out_ += in_[pos_++];
      return false;
    case '.':
      out_ += in_[pos_++];
      return true;
    case '*':
    case '+':
    case '?':
      return refuse("nothing to repeat");
    default:
      out_ += code_point_escape(take_code_point());
      return true;
  }
}

Result<bool> Translator::group() {
  static constexpr std::string_view kOpeners[] = {
      "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:"};
  if (depth_ >= kMaxPatternDepth) return refuse("more than {} nested groups", kMaxPatternDepth);
  if (in_.substr(pos_).starts_with("(?i)")) {
    if (!first_atom_) return refuse("'(?i)' after the beginning of its group");
    pos_ += 4;
    out_ += "(?i)";
    return false;
  }
  const auto opener = std::ranges::find_if(kOpeners, [&](auto o) { return accept(o); });
  if (opener != std::end(kOpeners)) {
    out_ += *opener;
  } else if (peek(1) == '?') {
    return refuse("group '{}'", in_.substr(pos_, std::min<size_t>(4, in_.size() - pos_)));
  } else {
    ++pos_;
    out_ += "(?:";
  }
  ++depth_;
  NIBBLE_CHECK(alternatives());
  --depth_;
  if (!accept(")")) return refuse("'(' without ')'");
  out_ += ')';
  return true;
}

Result<bool> Translator::escape() {
  static const std::string kWordBoundary =
      fmt::format("(?:(?<=[{0}])(?![{0}])|(?<![{0}])(?=[{0}]))", kWordEscapeItems);
  static const std::string kNoWordBoundary =
      fmt::format("(?:(?<=[{0}])(?=[{0}])|(?<![{0}])(?![{0}]))", kWordEscapeItems);
  switch (peek(1)) {
    case 'b':
      pos_ += 2;
      out_ += kWordBoundary;
      return false;
    case 'B':
      pos_ += 2;
      out_ += kNoWordBoundary;
      return false;
    case 'A':
    case 'z':
    case 'Z':
      out_ += in_.substr(pos_, 2);
      pos_ += 2;
      return false;
    case 'w':
    case 'W':
      out_ += fmt::format("[{}{}]", peek(1) == 'W' ? "^" : "", kWordEscapeItems);
      pos_ += 2;
      return true;
    default:
      break;
  }
  NIBBLE_TRY(const Member member, escaped_member());
  out_ += bracketed(member);
  return true;
}

Result<std::string> oniguruma_to_pcre2(std::string_view pattern) {
  if (pattern.size() > kMaxPattern)
    return unsupported("regular expression of {} bytes, at most {} are read", pattern.size(),
                       kMaxPattern);
  if (valid_utf8_prefix(pattern) != pattern.size())
    return unsupported("regular expression that is no UTF-8");
  return Translator(pattern).translate();
}

std::string quote_pattern(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i += utf8_length(static_cast<unsigned char>(text[i])))
    out += code_point_escape(decode_utf8(text.data() + i));
  return out;
}

}  // namespace nibble::text
