// str methods that look for something or ask about the text, and those that split it.
#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/template/runtime.h"
#include "core/text/template/search.h"
#include "core/text/template/text_methods.h"
#include "core/text/unicode_case.h"

namespace nibble::jinja {
namespace {

// The part text[start:end] that startswith, find and count look at; nothing when start is past the
// end.
struct Window {
  std::string_view text;
  size_t offset_chars = 0;
  bool valid = true;
};
Result<Window> window(Interpreter& in, const Value& self, const Params& p) {
  const String& s = self.as<String>();
  const auto n = Integer(s.n_chars);
  NIBBLE_TRY(Integer start, p.integer(1, 0));
  NIBBLE_TRY(Integer end, p.integer(2, n));
  NIBBLE_CHECK(in.spend(s.weight + p[0].weight()));
  start = start < 0 ? std::max<Integer>(0, start + n) : start;
  end = std::clamp<Integer>(end < 0 ? end + n : end, 0, n);
  if (start > end) return Window{{}, 0, false};
  const size_t from = char_offset_of(s, size_t(start)), to = char_offset_of(s, size_t(end));
  return Window{std::string_view(s.text).substr(from, to - from), size_t(start), true};
}

template <bool at_start>
Result<Value> has_end(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const Window w, window(in, self, p));
  NIBBLE_CHECK(in.spend(p[0].weight()));
  std::vector<Value> wanted = {p[0]};
  if (p[0].is(Kind::kTuple)) wanted = p[0].items();
  for (const Value& v : wanted) {
    if (!v.is(Kind::kString))
      return invalid_input("{} first arg must be str or a tuple of str, not {}",
                           at_start ? "startswith" : "endswith", type_name(v));
    const bool holds = at_start ? w.text.starts_with(v.str()) : w.text.ends_with(v.str());
    if (w.valid && holds) return Value::boolean(true);
  }
  return Value::boolean(false);
}

template <bool from_right, bool must>
Result<Value> find(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view wanted, p.text(0));
  NIBBLE_TRY(const Window w, window(in, self, p));
  const size_t at = !w.valid     ? w.text.npos
                    : from_right ? find_last(w.text, wanted)
                                 : find_first(w.text, wanted);
  if (at != w.text.npos)
    return Value::integer(Integer(w.offset_chars + count_chars(w.text.substr(0, at))));
  if (must) return invalid_input("substring not found");
  return Value::integer(-1);
}

Result<Value> count(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view wanted, p.text(0));
  NIBBLE_TRY(const Window w, window(in, self, p));
  if (!w.valid) return Value::integer(0);
  if (wanted.empty()) return Value::integer(Integer(count_chars(w.text)) + 1);
  return Value::integer(Integer(find_all(w.text, wanted).size()));
}

Result<Value> texts(Interpreter& in, const Value& self, const std::vector<std::string_view>& parts,
                    Kind kind = Kind::kList) {
  NIBBLE_CHECK(in.spend(int64_t(parts.size()) + self.weight()));
  std::vector<Value> out;
  out.reserve(parts.size());
  for (const std::string_view part : parts)
    out.push_back(Value::text(std::string(part), self.is_safe()));
  return make_list(std::move(out), kind);
}

std::vector<std::string_view> split_spaces(std::string_view s, Integer limit) {
  std::vector<std::string_view> parts;
  for (s = strip_left(s); !s.empty(); s = strip_left(s)) {
    if (limit-- == 0) {
      parts.push_back(s);
      break;
    }
    size_t end = 0;
    while (end < s.size() && !is_space(char_at(s, end))) end += char_bytes(s, end);
    parts.push_back(s.substr(0, end));
    s.remove_prefix(end);
  }
  return parts;
}

std::vector<std::string_view> split_spaces_right(std::string_view s, Integer limit) {
  auto parts = split_spaces(s, -1);
  if (limit < 0 || Integer(parts.size()) <= limit) return parts;
  const auto kept = parts.end() - ptrdiff_t(limit) - 1;
  *kept = {s.data(), kept->data() + kept->size()};
  parts.erase(parts.begin(), kept);
  return parts;
}

std::vector<std::string_view> cut(std::string_view s, const std::vector<size_t>& at,
                                  size_t n_skipped) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (const size_t end : at) {
    parts.push_back(s.substr(begin, end - begin));
    begin = end + n_skipped;
  }
  parts.push_back(s.substr(begin));
  return parts;
}

template <bool from_right>
Result<Value> split(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view by, p.text(0));
  NIBBLE_TRY(const Integer limit, p.integer(1, -1));
  const std::string_view s = self.str();
  const bool spaces = !p.has(0) || p[0].is(Kind::kNone);
  if (!spaces && by.empty()) return invalid_input("empty separator");
  if (spaces) NIBBLE_CHECK(in.spend_chars(s));
  if (spaces)
    return texts(in, self, from_right ? split_spaces_right(s, limit) : split_spaces(s, limit));
  NIBBLE_CHECK(in.spend_bytes(by.size()));
  const auto at = from_right ? find_all_from_right(s, by, limit) : find_all(s, by, limit);
  return texts(in, self, cut(s, at, by.size()));
}

Result<Value> splitlines(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_CHECK(in.spend_chars(self.str()));
  return texts(in, self, split_lines(self.str(), p.flag(0)));
}

template <bool from_right>
Result<Value> partition(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view by, p.text(0));
  if (by.empty()) return invalid_input("empty separator");
  const std::string_view s = self.str();
  NIBBLE_CHECK(in.spend_bytes(by.size()));
  const size_t at = from_right ? find_last(s, by) : find_first(s, by);
  if (at != s.npos)
    return texts(in, self, {s.substr(0, at), by, s.substr(at + by.size())}, Kind::kTuple);
  if (from_right) return texts(in, self, {"", "", s}, Kind::kTuple);
  return texts(in, self, {s, "", ""}, Kind::kTuple);
}

template <bool (*holds)(char32_t)>
Result<Value> all_are(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_CHECK(in.spend_chars(self.str()));
  const std::string_view s = self.str();
  for (size_t at = 0; at < s.size(); at += char_bytes(s, at))
    if (!holds(char_at(s, at))) return Value::boolean(false);
  return Value::boolean(!s.empty());
}

bool is_ascii_char(char32_t c) { return c < 0x80; }
// Superscripts, and digits in circles, brackets and the like.
bool is_digit_char(char32_t c) {
  static constexpr std::pair<char32_t, char32_t> kOther[] = {
      {0xB2, 0xB3},       {0xB9, 0xB9},       {0x1369, 0x1371},   {0x19DA, 0x19DA},
      {0x2070, 0x2070},   {0x2074, 0x2079},   {0x2080, 0x2089},   {0x2460, 0x2468},
      {0x2474, 0x247C},   {0x2488, 0x2490},   {0x24EA, 0x24EA},   {0x24F5, 0x24FD},
      {0x24FF, 0x24FF},   {0x2776, 0x277E},   {0x2780, 0x2788},   {0x278A, 0x2792},
      {0x10A40, 0x10A43}, {0x10E60, 0x10E68}, {0x11052, 0x1105A}, {0x1F100, 0x1F10A}};
  return is_decimal(c) || std::ranges::any_of(kOther, [c](const auto& range) {
           return c >= range.first && c <= range.second;
         });
}
bool is_numeric_char(char32_t c) { return is_alnum(c) && !is_letter(c); }

Result<Value> isascii(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_CHECK(in.spend(self.weight()));
  return Value::boolean(
      std::ranges::all_of(self.str(), [](char c) { return is_ascii_char(uint8_t(c)); }));
}
Result<Value> isprintable(Interpreter& in, const Value& self, const Params& p) {
  return self.str().empty() ? Result<Value>(Value::boolean(true))
                            : all_are<is_printable>(in, self, p);
}
Result<Value> isidentifier(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_CHECK(in.spend_chars(self.str()));
  const std::string_view s = self.str();
  bool valid = !s.empty();
  for (size_t at = 0; valid && at < s.size(); at += char_bytes(s, at)) {
    const char32_t c = char_at(s, at);
    valid = c == '_' || is_letter(c) || (at > 0 && is_alnum(c));
  }
  return Value::boolean(valid);
}
template <bool upper>
Result<Value> iscased(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_CHECK(in.spend_chars(self.str()));
  return Value::boolean(all_cased(self.str(), upper));
}
Result<Value> istitle(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_CHECK(in.spend_chars(self.str()));
  const std::string_view s = self.str();
  bool inside = false, any = false;
  for (size_t at = 0; at < s.size(); at += char_bytes(s, at)) {
    const char32_t c = char_at(s, at);
    const bool begins = is_upper(c) || is_title(c);
    if ((begins && inside) || (is_lower(c) && !inside)) return Value::boolean(false);
    inside = is_cased(c);
    any = any || inside;
  }
  return Value::boolean(any);
}

constexpr Function kMethods[] = {
    {"startswith", "prefix start end", 1, has_end<true>},
    {"endswith", "suffix start end", 1, has_end<false>},
    {"find", "sub start end", 1, find<false, false>},
    {"rfind", "sub start end", 1, find<true, false>},
    {"index", "sub start end", 1, find<false, true>},
    {"rindex", "sub start end", 1, find<true, true>},
    {"count", "sub start end", 1, count},
    {"split", "sep maxsplit", 0, split<false>},
    {"rsplit", "sep maxsplit", 0, split<true>},
    {"splitlines", "keepends", 0, splitlines},
    {"partition", "sep", 1, partition<false>},
    {"rpartition", "sep", 1, partition<true>},
    {"isalpha", "", 0, all_are<is_letter>},
    {"isalnum", "", 0, all_are<is_alnum>},
    {"isdecimal", "", 0, all_are<is_decimal>},
    {"isdigit", "", 0, all_are<is_digit_char>},
    {"isnumeric", "", 0, all_are<is_numeric_char>},
    {"isspace", "", 0, all_are<is_space>},
    {"isascii", "", 0, isascii},
    {"isprintable", "", 0, isprintable},
    {"isidentifier", "", 0, isidentifier},
    {"islower", "", 0, iscased<false>},
    {"isupper", "", 0, iscased<true>},
    {"istitle", "", 0, istitle},
};

}  // namespace

std::pair<const Function*, size_t> tables::string_searches() {
  return {kMethods, std::size(kMethods)};
}

// str.isupper and str.islower: every cased character is so, and there is one.
bool all_cased(std::string_view s, bool upper) {
  bool any = false;
  for (size_t at = 0; at < s.size(); at += char_bytes(s, at)) {
    const char32_t c = char_at(s, at);
    if (upper ? is_lower(c) || is_title(c) : is_upper(c) || is_title(c)) return false;
    any = any || (upper ? is_upper(c) : is_lower(c));
  }
  return any;
}

}  // namespace nibble::jinja
