#include "core/text/regex_translate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/text/regex_classes.h"
#include "core/text/utf8.h"

namespace nibble::text {
namespace {
constexpr std::string_view kAnyChar = R"([\x{0}-\x{10ffff}])";

std::string code_point_escape(char32_t c) {
  return fmt::format("\\x{{{:x}}}", static_cast<uint32_t>(c));
}

// What one escape, or one member of a class, stands for.
struct Member {
  std::optional<char32_t> code_point;  // a single one, which can begin or end a range
  std::string items;                   // otherwise: items for brackets
  bool negated = false;                // of the items
};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  Result<std::string> translate() {
    NIBBLE_CHECK(alternatives());
    if (!done()) return refuse("')' without '('");
    return std::move(out_);
  }

 private:
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

  Result<void> alternatives() {
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

  Result<void> quantified() {
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

  // {n}, {n,}, {,m} or {n,m} after the atom that begins at out_[begin]. '+' after it repeats the
  // whole, where PCRE2 would take it for a possessive mark.
  Result<bool> interval_after(size_t begin) {
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

  // One atom; false for what cannot be repeated (an anchor, options).
  Result<bool> atom() {
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

  Result<bool> group() {
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

  Result<bool> escape() {
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

  static std::string bracketed(const Member& member) {
    if (member.code_point) return code_point_escape(*member.code_point);
    if (member.items.empty()) return "(?!)";
    return fmt::format("[{}{}]", member.negated ? "^" : "", member.items);
  }

  // An escape that stands for code points, inside or outside of a class; at its backslash.
  Result<Member> escaped_member() {
    ++pos_;
    if (done()) return refuse("'\\' at the end");
    const char c = in_[pos_];
    if (static_cast<unsigned char>(c) >= 0x80) return Member{take_code_point(), {}};
    ++pos_;
    switch (c) {
      case 't':
        return Member{U'\t', {}};
      case 'n':
        return Member{U'\n', {}};
      case 'r':
        return Member{U'\r', {}};
      case 'f':
        return Member{U'\f', {}};
      case 'v':
        return Member{U'\v', {}};
      case 'a':
        return Member{U'\a', {}};
      case 'e':
        return Member{U'\x1b', {}};
      case 'x':
      case 'u':
        return code_point_by_number(c);
      case 'd':
        return Member{{}, "\\p{Nd}"};
      case 'D':
        return Member{{}, "\\P{Nd}"};
      case 's':
        return Member{{}, std::string(kSpaceItems)};
      case 'S':
        return Member{{}, std::string(kNotSpaceItems)};
      case 'w':
        return Member{{}, std::string(kWordItems)};
      case 'W':
        return Member{{}, std::string(kWordItems), true};
      case 'h':
        return Member{{}, std::string(kHexItems)};
      case 'H':
        return Member{{}, std::string(kHexItems), true};
      case 'p':
      case 'P':
        return property(c == 'P');
      default:
        break;
    }
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain) return refuse("escape '\\{}'", c);
    return Member{static_cast<char32_t>(c), {}};
  }

  Result<Member> property(bool negated) {
    const size_t end = in_.find('}', pos_);
    if (peek() != '{' || end == std::string_view::npos) return refuse("'\\p' without '{{NAME}}'");
    auto items = property_items(in_.substr(pos_ + 1, end - pos_ - 1), negated);
    if (!items) return refuse("{}", items.error().message);
    pos_ = end + 1;
    return Member{{}, std::move(*items)};
  }

  // \xHH, \x{H...} or \uHHHH, after the letter.
  Result<Member> code_point_by_number(char letter) {
    size_t n = letter == 'u' ? 4 : 2;
    const bool braces = letter == 'x' && accept("{");
    if (braces) n = in_.find('}', pos_) - pos_;
    uint32_t value = 0;
    size_t used = 0;
    for (; used < n && used < 8 && !done(); ++used, ++pos_) {
      const char c = peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) break;
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (used == 0 || (n != used && (braces || letter == 'u')) || value > 0x10FFFF || surrogate)
      return refuse("a code point by number that is none");
    if (!braces && letter == 'x' && value >= 0x80) return refuse("'\\x{:02x}', a byte", value);
    if (braces && !accept("}")) return refuse("a code point by number that is none");
    return Member{static_cast<char32_t>(value), {}};
  }

  // A class after its '['. Gives a pattern that matches one code point.
  Result<std::string> char_class(int depth) {
    if (depth > kMaxPatternDepth) return refuse("more than {} nested classes", kMaxPatternDepth);
    const bool negated = accept("^");
    if (peek() == ']') return refuse("an empty class");
    std::vector<std::string> parts;  // the operands of '&&'
    do {
      NIBBLE_TRY(std::string part, class_union(depth));
      parts.push_back(std::move(part));
    } while (accept("&&"));
    if (!accept("]")) return refuse("'[' without ']'");
    std::string all = parts.back();
    for (size_t i = 0; i + 1 < parts.size(); ++i) all.insert(0, fmt::format("(?={})", parts[i]));
    if (parts.size() > 1) all = fmt::format("(?:{})", all);
    if (!negated) return all;
    const bool simple = parts.size() == 1 && all.starts_with('[') && !all.starts_with("[^");
    return simple ? "[^" + all.substr(1) : fmt::format("(?:(?!{}){})", all, kAnyChar);
  }

  // Members up to ']' or '&&': one bracket class where that says it, else alternatives of several.
  Result<std::string> class_union(int depth) {
    std::string items;
    std::vector<std::string> others;
    while (!done() && peek() != ']' && !in_.substr(pos_).starts_with("&&")) {
      if (peek() == '[' && peek(1) != ':') {
        ++pos_;
        NIBBLE_TRY(std::string inner, char_class(depth + 1));
        others.push_back(std::move(inner));
        continue;
      }
      NIBBLE_TRY(const Member member, class_member());
      if (member.negated) {
        others.push_back(bracketed(member));
      } else if (!member.code_point) {
        items += member.items;
      } else {
        NIBBLE_TRY(const std::string range, range_from(*member.code_point));
        items += range;
      }
    }
    if (!items.empty()) others.insert(others.begin(), fmt::format("[{}]", items));
    if (others.empty()) return refuse("an empty class");
    return others.size() == 1 ? others[0] : fmt::format("(?:{})", fmt::join(others, "|"));
  }

  // "c", or "c-d" where a range follows.
  Result<std::string> range_from(char32_t first) {
    if (peek() != '-' || peek(1) == ']' || peek(1) == '\0') return code_point_escape(first);
    ++pos_;
    if (peek() == '[' || peek() == '&') return refuse("an unescaped '-' before '{}'", peek());
    NIBBLE_TRY(const Member last, class_member());
    if (!last.code_point || *last.code_point < first) return refuse("a range without a right end");
    return fmt::format("{}-{}", code_point_escape(first), code_point_escape(*last.code_point));
  }

  Result<Member> class_member() {
    if (peek() == '\\' && peek(1) == 'b') return refuse("escape '\\b' in a class");
    if (peek() == '\\') return escaped_member();
    if (!accept("[:")) return Member{take_code_point(), {}};
    const bool negated = accept("^");
    const size_t end = in_.find(":]", pos_);
    if (end == std::string_view::npos) return refuse("'[:' without ':]'");
    auto items = posix_items(in_.substr(pos_, end - pos_), negated);
    if (!items) return refuse("{}", items.error().message);
    pos_ = end + 2;
    return Member{{}, std::move(*items)};
  }

  std::string_view in_;
  std::string out_;
  size_t pos_ = 0;
  int depth_ = 0;
  bool first_atom_ = true;
};
}  // namespace

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
