// str methods that make text of text. Those that look for something are in methods_search.cpp.
#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/template/format.h"
#include "core/text/template/markup.h"
#include "core/text/template/numbers.h"
#include "core/text/template/runtime.h"
#include "core/text/template/text_methods.h"
#include "core/text/unicode_case.h"

namespace nibble::jinja {
namespace {

// Of a method that looks at each character.
Result<Value> mapped(Interpreter& in, const Value& self, std::string s) {
  NIBBLE_CHECK(in.spend_chars(self.str()));
  return in.text(std::move(s), self.is_safe());
}
Result<Value> made(Interpreter& in, const Value& self, std::string s) {
  NIBBLE_CHECK(in.spend(self.weight()));
  return in.text(std::move(s), self.is_safe());
}

Result<Value> upper(Interpreter& in, const Value& self, const Params&) {
  return mapped(in, self, to_upper(self.str()));
}
Result<Value> lower(Interpreter& in, const Value& self, const Params&) {
  return mapped(in, self, to_lower(self.str()));
}
Result<Value> capitalize(Interpreter& in, const Value& self, const Params&) {
  return mapped(in, self, capitalized(self.str()));
}

Result<Value> casefold(Interpreter& in, const Value& self, const Params&) {
  std::string out;
  for (const std::string_view c : split_chars(self.str())) append_folded(out, char_at(c, 0));
  return mapped(in, self, std::move(out));
}

Result<Value> swapcase(Interpreter& in, const Value& self, const Params&) {
  return mapped(in, self, change_case(self.str(), [](char32_t c) {
                  return is_upper(c) ? Case::kLower : is_lower(c) ? Case::kUpper : Case::kSame;
                }));
}

// A letter after one that has no case begins a word.
Result<Value> title(Interpreter& in, const Value& self, const Params&) {
  bool inside = false;
  return mapped(in, self, change_case(self.str(), [&](char32_t c) {
                  return std::exchange(inside, is_cased(c)) ? Case::kLower : Case::kTitle;
                }));
}

template <bool left, bool right>
Result<Value> strip_(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view set, p.text(0));
  const bool spaces = !p.has(0) || p[0].is(Kind::kNone);
  NIBBLE_CHECK(in.spend(self.weight() * int64_t(4 + set.size())));
  std::string_view s = self.str();
  if (right) s = spaces ? strip_right(s) : strip_right(s, set);
  if (left) s = spaces ? strip_left(s) : strip_left(s, set);
  return made(in, self, std::string(s));
}

Result<size_t> width_of(Interpreter& in, const Params& p, std::string_view& fill) {
  NIBBLE_TRY(const Integer width, p.integer(0, 0));
  NIBBLE_TRY(fill, p.text(1, " "));
  if (count_chars(fill) != 1)
    return invalid_input("The fill character must be exactly one character long");
  NIBBLE_CHECK(in.spend_bytes(size_t(std::clamp<Integer>(width, 0, INT64_MAX / 4)) * fill.size()));
  return size_t(std::max<Integer>(width, 0));
}

Result<Value> center(Interpreter& in, const Value& self, const Params& p) {
  std::string_view fill;
  NIBBLE_TRY(const size_t width, width_of(in, p, fill));
  return made(in, self, centered(self.str(), width, fill));
}

template <bool left>
Result<Value> justify(Interpreter& in, const Value& self, const Params& p) {
  std::string_view fill;
  NIBBLE_TRY(const size_t width, width_of(in, p, fill));
  return made(in, self, pad("", self.str(), width, fill, left ? '<' : '>'));
}

Result<Value> zfill(Interpreter& in, const Value& self, const Params& p) {
  std::string_view fill;
  NIBBLE_TRY(const size_t width, width_of(in, p, fill));
  const std::string_view s = self.str();
  const size_t sign = s.starts_with('+') || s.starts_with('-');
  return made(in, self, pad(s.substr(0, sign), s.substr(sign), width, "0", '='));
}

Result<Value> replace(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view old, p.text(0));
  NIBBLE_TRY(const std::string_view other, p.text(1));
  NIBBLE_TRY(const Integer count, p.integer(2, -1));
  const bool escapes = self.is_safe() && !p[1].is_safe();
  NIBBLE_TRY(std::string out,
             replaced(in, self.str(), old, escapes ? escape(other) : std::string(other), count));
  return Value::text(std::move(out), self.is_safe());
}

Result<Value> removeprefix(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view prefix, p.text(0));
  const std::string_view s = self.str();
  return made(in, self, std::string(s.starts_with(prefix) ? s.substr(prefix.size()) : s));
}

Result<Value> removesuffix(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view suffix, p.text(0));
  const std::string_view s = self.str();
  return made(in, self,
              std::string(s.ends_with(suffix) ? s.substr(0, s.size() - suffix.size()) : s));
}

Result<Value> expandtabs(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const Integer size, p.integer(0, 8));
  std::string out;
  Integer column = 0;
  for (const std::string_view c : split_chars(self.str())) {
    if (c == "\t") {
      const Integer n = size > 0 ? size - column % size : 0;
      NIBBLE_CHECK(in.spend_bytes(size_t(std::min<Integer>(n, INT64_MAX))));
      out.append(size_t(n), ' ');
      column += n;
      continue;
    }
    out += c;
    column = c == "\n" || c == "\r" ? 0 : column + 1;
  }
  return mapped(in, self, std::move(out));
}

Result<Value> join(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::vector<Value> parts, in.collect(p[0]));
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].is(Kind::kString) && !self.is_safe())
      return invalid_input("sequence item {}: expected str instance, {} found", i,
                           type_name(parts[i]));
    if (i > 0) out += self.str();
    NIBBLE_TRY(const std::string part, in.str(parts[i]));
    const bool safe = parts[i].is(Kind::kString) && parts[i].is_safe();
    out += self.is_safe() && !safe ? escape(part) : part;
    NIBBLE_CHECK(in.spend_bytes(out.size() > in.max_bytes() ? out.size() : self.str().size()));
  }
  return in.text(std::move(out), self.is_safe());
}

Result<Value> format(Interpreter& in, const Value& self, const Params& p) {
  return brace_format(in, self, *p.all);
}

Result<Value> format_map(Interpreter& in, const Value& self, const Params& p) {
  if (!p[0].is(Kind::kDict))
    return invalid_input("format_map: a dict wanted, got {}", type_name(p[0]));
  NIBBLE_CHECK(in.spend(int64_t(p[0].as<Dict>().entries().size())));
  Args args;
  for (const auto& [key, value] : p[0].as<Dict>().entries())
    if (key.is(Kind::kString)) args.named.emplace_back(key.str(), value);
  return brace_format(in, self, args);
}

constexpr Function kMethods[] = {
    {"upper", "", 0, upper},
    {"lower", "", 0, lower},
    {"capitalize", "", 0, capitalize},
    {"casefold", "", 0, casefold},
    {"swapcase", "", 0, swapcase},
    {"title", "", 0, title},
    {"strip", "chars", 0, strip_<true, true>},
    {"lstrip", "chars", 0, strip_<true, false>},
    {"rstrip", "chars", 0, strip_<false, true>},
    {"center", "width fillchar", 1, center},
    {"ljust", "width fillchar", 1, justify<true>},
    {"rjust", "width fillchar", 1, justify<false>},
    {"zfill", "width", 1, zfill},
    {"replace", "old new count", 2, replace},
    {"removeprefix", "prefix", 1, removeprefix},
    {"removesuffix", "suffix", 1, removesuffix},
    {"expandtabs", "tabsize", 0, expandtabs},
    {"join", "iterable", 1, join},
    {"format", "*", 0, format},
    {"format_map", "mapping", 1, format_map},
};

}  // namespace

std::pair<const Function*, size_t> tables::string_methods() {
  return {kMethods, std::size(kMethods)};
}

}  // namespace nibble::jinja
