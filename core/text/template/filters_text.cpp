// Filters over text.
#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/template/format.h"
#include "core/text/template/print.h"
#include "core/text/template/runtime.h"
#include "core/text/template/text_methods.h"
#include "core/text/unicode_case.h"
#include "core/text/utf8.h"

namespace nibble::jinja {
namespace {

// Text as filters take it: a string keeps its markup, anything else is printed.
Result<Value> soft(Interpreter& in, const Value& v) {
  if (v.is(Kind::kString)) return v;
  NIBBLE_TRY(std::string s, in.str(v));
  return Value::text(std::move(s));
}

template <class Change>
Result<Value> changed(Interpreter& in, const Value& self, Change change) {
  NIBBLE_TRY(const Value v, soft(in, self));
  NIBBLE_CHECK(in.spend_chars(v.str()));
  return in.text(std::string(change(std::string_view(v.str()))), v.is_safe());
}

Result<Value> upper(Interpreter& in, const Value& self, const Params&) {
  return changed(in, self, to_upper);
}
Result<Value> lower(Interpreter& in, const Value& self, const Params&) {
  return changed(in, self, to_lower);
}
Result<Value> capitalize(Interpreter& in, const Value& self, const Params&) {
  return changed(in, self, capitalized);
}

// Words begin after white space, a hyphen or an opening bracket (unlike str.title).
std::string titled(std::string_view text) {
  std::string out;
  bool begin = true;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = char_at(text, at);
    if (is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<') {
      text::append_utf8(out, c);
      begin = true;
      at += char_bytes(text, at);
      continue;
    }
    size_t end = at;
    while (end < text.size() && !is_space(char_at(text, end)) &&
           !std::string_view("-({[<").contains(text[end]))
      end += char_bytes(text, end);
    if (begin) append_upper(out, c);
    out += to_lower(text.substr(at + char_bytes(text, at), end - at - char_bytes(text, at)));
    at = end;
  }
  return out;
}
Result<Value> title(Interpreter& in, const Value& self, const Params&) {
  return changed(in, self, titled);
}

Result<Value> trim(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view set, p.text(0));
  const bool all = !p.has(0) || p[0].is(Kind::kNone);
  if (set.size() > 1) NIBBLE_CHECK(in.spend(self.weight() * int64_t(set.size())));
  return changed(in, self, [&](std::string_view s) {
    return all ? strip(s) : strip_left(strip_right(s, set), set);
  });
}

Result<Value> string(Interpreter& in, const Value& self, const Params&) { return soft(in, self); }

Result<Value> replace(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string s, in.str(self));
  NIBBLE_TRY(const std::string old, in.str(p[0]));
  NIBBLE_TRY(const std::string other, in.str(p[1]));
  NIBBLE_TRY(const Integer count, p.integer(2, -1));
  NIBBLE_TRY(std::string out, replaced(in, s, old, other, count));
  return Value::text(std::move(out));
}

Result<Value> join(Interpreter& in, const Value& self, const Params& p) {
  std::string separator;
  if (p.has(0)) {
    NIBBLE_TRY(separator, in.str(p[0]));
  }
  NIBBLE_TRY(Iterator it, Iterator::over(in, self));
  std::string out;
  Value v;
  for (bool first = true;; first = false) {
    NIBBLE_TRY(const bool more, it.next(v));
    if (!more) break;
    if (p.has(1)) {
      NIBBLE_TRY(v, attribute_path(in, v, p[1], nullptr));
    }
    NIBBLE_TRY(const std::string s, in.str(v));
    if (!first) out += separator;
    out += s;
    NIBBLE_CHECK(in.spend_bytes(out.size() > in.max_bytes() ? out.size() : separator.size()));
  }
  return Value::text(std::move(out));
}

Result<Value> indent(Interpreter& in, const Value& self, const Params& p) {
  if (self.is_undefined()) return invalid_input("{}", undefined_message(self));
  if (!self.is(Kind::kString)) return invalid_input("indent: text wanted, got {}", type_name(self));
  std::string margin = "    ";
  if (p.has(0) && p[0].is(Kind::kString)) {
    margin = p[0].str();
  } else if (p.has(0)) {
    NIBBLE_TRY(const Integer width, p.integer(0, 4));
    NIBBLE_CHECK(in.spend_bytes(size_t(std::clamp<Integer>(width, 0, INT32_MAX))));
    margin = std::string(size_t(std::clamp<Integer>(width, 0, INT32_MAX)), ' ');
  }
  const bool first = p.flag(1), blank = p.flag(2);
  std::string out = first ? margin : "";
  const std::string text = self.str() + "\n";
  const auto lines = split_lines(text);
  NIBBLE_CHECK(in.spend_bytes(text.size()));
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    if (i > 0 && (blank || !lines[i].empty())) out += margin;
    out += lines[i];
    if (out.size() > in.max_bytes()) NIBBLE_CHECK(in.spend_bytes(out.size()));
  }
  return in.text(std::move(out), self.is_safe());
}

Result<Value> truncate_filter(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const Integer length, p.integer(0, 255));
  NIBBLE_TRY(const std::string_view end, p.text(2, "..."));
  NIBBLE_TRY(const Integer leeway, p.integer(3, 5));
  NIBBLE_CHECK(in.spend_chars(end));
  const Integer n_end = Integer(count_chars(end));
  if (length < n_end || leeway < 0)
    return invalid_input("truncate: length {} is too short", int64_t(length));
  NIBBLE_TRY(const int64_t n, jinja::length(self));
  if (n <= length + leeway) return self;
  if (!self.is(Kind::kString))
    return invalid_input("truncate: text wanted, got {}", type_name(self));
  NIBBLE_CHECK(in.spend_chars(self.str()));
  std::string_view head = self.str();
  head = head.substr(0, char_offset(head, size_t(length - n_end)));
  if (!p.flag(1)) head = head.substr(0, head.rfind(' '));
  return in.text(std::string(head) + std::string(end), self.is_safe());
}

Result<Value> center(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const Value v, soft(in, self));
  NIBBLE_TRY(const Integer width, p.integer(0, 80));
  NIBBLE_CHECK(in.spend_bytes(size_t(std::clamp<Integer>(width, 0, INT64_MAX))));
  return in.text(centered(v.str(), size_t(std::max<Integer>(width, 0)), " "), v.is_safe());
}

Result<Value> wordcount(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_TRY(const Value v, soft(in, self));
  NIBBLE_CHECK(in.spend_chars(v.str()));
  const std::string_view s = v.str();
  int64_t n = 0;
  bool inside = false;
  for (size_t at = 0; at < s.size(); at += char_bytes(s, at)) {
    const char32_t c = char_at(s, at);
    const bool word = c == '_' || is_alnum(c);
    n += word && !inside;
    inside = word;
  }
  return Value::integer(n);
}

Result<Value> format(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const Value v, soft(in, self));
  if (!p.all->positional.empty() && !p.all->named.empty())
    return invalid_input("format: can't handle positional and keyword arguments at the same time");
  if (p.all->named.empty()) {
    NIBBLE_TRY(const Value values, make_list(p.all->positional, Kind::kTuple));
    return percent_format(in, v, values);
  }
  auto dict = std::make_shared<Dict>();
  for (const auto& [name, value] : p.all->named) NIBBLE_CHECK(dict->set(Value::text(name), value));
  NIBBLE_TRY(const Value values, make_dict(std::move(dict)));
  return percent_format(in, v, values);
}

Result<std::string> json_indent(const Value& v) {
  if (v.is(Kind::kString)) return v.str();
  if (!v.is_integral()) return invalid_input("tojson: indent must be a number or text");
  return std::string(size_t(std::clamp<Integer>(v.to_integer(), 0, 256)), ' ');
}

// As transformers registers it: json.dumps, nothing escaped for HTML.
Result<Value> tojson(Interpreter& in, const Value& self, const Params& p) {
  JsonStyle style;
  style.ascii = p.flag(0);
  style.sort_keys = p.flag(3);
  style.pretty = p.has(1) && !p[1].is(Kind::kNone);
  if (style.pretty) {
    NIBBLE_TRY(style.indent, json_indent(p[1]));
    style.item_separator = ",";
  }
  if (p.has(2) && !p[2].is(Kind::kNone)) {
    NIBBLE_TRY(const std::vector<Value> pair, in.collect(p[2]));
    if (pair.size() != 2 || !pair[0].is(Kind::kString) || !pair[1].is(Kind::kString))
      return invalid_input("tojson: separators must be two strings");
    style.item_separator = pair[0].str();
    style.key_separator = pair[1].str();
  }
  NIBBLE_CHECK(in.spend(self.weight()));
  NIBBLE_TRY(std::string out, to_json(self, style, in.max_bytes()));
  NIBBLE_CHECK(in.spend_chars(out));
  return in.text(std::move(out));
}

Result<Value> pprint(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_TRY(std::string out, in.repr(self));
  return Value::text(std::move(out));
}

constexpr Function kFilters[] = {
    {"upper", "", 0, upper},
    {"lower", "", 0, lower},
    {"capitalize", "", 0, capitalize},
    {"title", "", 0, title},
    {"trim", "chars", 0, trim},
    {"string", "", 0, string},
    {"replace", "old new count", 2, replace},
    {"join", "d attribute", 0, join},
    {"indent", "width first blank", 0, indent},
    {"truncate", "length killwords end leeway", 0, truncate_filter},
    {"center", "width", 0, center},
    {"wordcount", "", 0, wordcount},
    {"wordwrap", "width break_long_words wrapstring break_on_hyphens", 0, wordwrap},
    {"format", "*", 0, format},
    {"tojson", "ensure_ascii indent separators sort_keys", 0, tojson},
    {"pprint", "", 0, pprint},
};

}  // namespace

std::pair<const Function*, size_t> tables::text_filters() {
  return {kFilters, std::size(kFilters)};
}

}  // namespace nibble::jinja
