// Escapes and character classes.
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "core/text/regex_classes.h"
#include "core/text/regex_translate.h"
#include "core/text/regex_translator.h"

namespace nibble::text {
namespace {

constexpr std::string_view kAnyChar = R"([\x{0}-\x{10ffff}])";

}  // namespace

std::string Translator::bracketed(const Member& member) {
  if (member.code_point) return code_point_escape(*member.code_point);
  if (member.items.empty()) return "(?!)";
  return fmt::format("[{}{}]", member.negated ? "^" : "", member.items);
}

Result<Translator::Member> Translator::escaped_member() {
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

Result<Translator::Member> Translator::property(bool negated) {
  const size_t end = in_.find('}', pos_);
  if (peek() != '{' || end == std::string_view::npos) return refuse("'\\p' without '{{NAME}}'");
  auto items = property_items(in_.substr(pos_ + 1, end - pos_ - 1), negated);
  if (!items) return refuse("{}", items.error().message);
  pos_ = end + 1;
  return Member{{}, std::move(*items)};
}

Result<Translator::Member> Translator::code_point_by_number(char letter) {
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

Result<std::string> Translator::char_class(int depth) {
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

Result<std::string> Translator::class_union(int depth) {
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

Result<std::string> Translator::range_from(char32_t first) {
  if (peek() != '-' || peek(1) == ']' || peek(1) == '\0') return code_point_escape(first);
  ++pos_;
  if (peek() == '[' || peek() == '&') return refuse("an unescaped '-' before '{}'", peek());
  NIBBLE_TRY(const Member last, class_member());
  if (!last.code_point || *last.code_point < first) return refuse("a range without a right end");
  return fmt::format("{}-{}", code_point_escape(first), code_point_escape(*last.code_point));
}

Result<Translator::Member> Translator::class_member() {
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

}  // namespace nibble::text
