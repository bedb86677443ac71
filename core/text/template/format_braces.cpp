// str.format: replacement fields {name.attribute[item]!conversion:specification}.
#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/template/format.h"
#include "core/text/template/markup.h"
#include "core/text/template/numbers.h"
#include "core/text/template/print.h"
#include "core/text/utf8.h"

namespace nibble::jinja {
namespace {

constexpr size_t kMaxWidth = 1 << 20;

struct Spec {
  std::string fill = " ";
  char align = '\0';
  bool zeros = false;
  size_t width = 0;
  NumberStyle style = {.type = '\0'};
};

bool is_align(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

size_t take_number(std::string_view& text) {
  size_t n = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1))
    n = std::min(n * 10 + size_t(text[0] - '0'), kMaxWidth + 1);
  return n;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

Result<Spec> parse_spec(std::string_view text) {
  Spec spec;
  bool filled = false;
  const size_t first = text.empty() ? 0 : char_bytes(text, 0);
  if (first < text.size() && is_align(text[first])) {
    spec.fill = text.substr(0, first);
    spec.align = text[first];
    filled = true;
    text.remove_prefix(first + 1);
  } else if (!text.empty() && is_align(text[0])) {
    spec.align = text[0];
    text.remove_prefix(1);
  }
  for (const char sign : {'+', '-', ' '})
    if (take(text, sign)) spec.style.sign = sign;
  spec.style.plain_zero = take(text, 'z');
  spec.style.alternate = take(text, '#');
  spec.zeros = take(text, '0');
  if (spec.zeros && !filled) spec.fill = "0";
  spec.width = take_number(text);
  for (const char mark : {',', '_'})
    if (spec.style.group == '\0' && take(text, mark)) spec.style.group = mark;
  if (take(text, '.')) {
    const size_t precision = take_number(text);
    if (precision > 1000) return invalid_input("format: precision above 1000");
    spec.style.precision = int(precision);
  }
  if (spec.width > kMaxWidth) return invalid_input("format: width above {}", kMaxWidth);
  if (text.size() > 1) return invalid_input("Invalid format specifier");
  if (!text.empty()) spec.style.type = text[0];
  const std::string_view grouped = spec.style.group == '_' ? "deEfFgG%boxX" : "deEfFgG%";
  if (spec.style.group && spec.style.type && !grouped.contains(spec.style.type))
    return invalid_input("Cannot specify '{}' with '{}'.", spec.style.group, spec.style.type);
  return spec;
}

Result<std::string> format_text(std::string s, const Spec& spec) {
  const NumberStyle& style = spec.style;
  if ((style.type != '\0' && style.type != 's') || spec.align == '=')
    return invalid_input("Unknown format code for object of type 'str'");
  if (style.sign != NumberStyle{}.sign || style.plain_zero || style.alternate || style.group)
    return invalid_input("A sign, 'z', '#', ',' or '_' is not allowed in a string's format");
  if (style.precision >= 0) s.resize(char_offset(s, size_t(style.precision)));
  return pad("", s, spec.width, spec.fill, spec.align ? spec.align : '<');
}

Result<void> check_integer_style(const NumberStyle& style) {
  if (style.precision >= 0)
    return invalid_input("Precision not allowed in integer format specifier");
  if (style.plain_zero)
    return invalid_input("Negative zero coercion (z) not allowed in integer format specifier");
  if (style.type == 'c' && (style.sign != NumberStyle{}.sign || style.alternate))
    return invalid_input("Sign or '#' not allowed with integer format specifier 'c'");
  return {};
}

Result<NumberText> character(Integer code) {
  if (code < 0 || code > 0x10FFFF) return invalid_input("%c arg not in range(0x110000)");
  NumberText n;
  text::append_utf8(n.digits, char32_t(code));
  return n;
}

Result<std::string> format_numeric(const Value& v, Spec spec) {
  const bool integral = v.is_integral();
  NumberStyle& style = spec.style;
  if (integral && style.type == '\0') style.type = 'd';
  const std::string_view types = integral ? "bcdoxXneEfFgG%" : "neEfFgG%";
  if (style.type != '\0' && !types.contains(style.type))
    return invalid_input("Unknown format code '{}' for object of type '{}'", style.type,
                         type_name(v));
  if (style.type == 'n') style.type = integral ? 'd' : 'g';
  if (integral && std::string_view("bcdoxX").contains(style.type))
    NIBBLE_CHECK(check_integer_style(style));
  NIBBLE_TRY(NumberText n, style.type == 'c' ? character(v.to_integer()) : format_number(v, style));
  const char align = spec.align ? spec.align : spec.zeros ? '=' : '>';
  const std::string head = n.sign + n.prefix;
  if (style.group) {
    const bool zeros = spec.fill == "0" && align == '=' && spec.width > head.size();
    fill_groups(n.digits, style, zeros ? spec.width - head.size() : 0);
  }
  return pad(head, n.digits, spec.width, spec.fill, align);
}

class Braces {
 public:
  Braces(Interpreter& in, const Value& format, const Args& fields)
      : in_(in), safe_(format.is_safe()), fields_(fields) {}

  Result<std::string> run(std::string_view text, int nesting) {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const char c = text[at];
      if (c != '{' && c != '}') {
        out += c;
        ++at;
      } else if (at + 1 < text.size() && text[at + 1] == c) {
        out += c;
        at += 2;
      } else if (c == '}') {
        return invalid_input("Single '}}' encountered in format string");
      } else {
        NIBBLE_TRY(const size_t end, closing(text, at));
        NIBBLE_TRY(const std::string value, field(text.substr(at + 1, end - at - 1), nesting));
        out += value;
        at = end + 1;
      }
      if (out.size() > in_.max_bytes()) NIBBLE_CHECK(in_.spend_bytes(out.size()));
    }
    return out;
  }

 private:
  static Result<size_t> closing(std::string_view text, size_t open) {
    int depth = 0;
    for (size_t at = open; at < text.size(); ++at) {
      depth += text[at] == '{';
      depth -= text[at] == '}';
      if (depth == 0) return at;
    }
    return invalid_input("expected '}}' before end of string");
  }

  Result<std::string> field(std::string_view text, int nesting) {
    NIBBLE_CHECK(in_.spend(1));
    const size_t name_end = std::min(text.find_first_of("!:"), text.size());
    NIBBLE_TRY(Value v, value(text.substr(0, name_end)));
    text.remove_prefix(name_end);
    if (take(text, '!')) {
      if (text.empty())
        return invalid_input("end of string while looking for conversion specifier");
      const char conversion = text[0];
      text.remove_prefix(1);
      if (conversion != 's' && conversion != 'r' && conversion != 'a')
        return invalid_input("Unknown conversion specifier '{}'", conversion);
      NIBBLE_TRY(std::string s, conversion == 's' ? in_.str(v) : in_.repr(v));
      v = Value::text(std::move(s));
    }
    std::string spec;
    if (take(text, ':')) {
      if (nesting >= 2) return invalid_input("Max string recursion exceeded");
      NIBBLE_TRY(spec, run(text, nesting + 1));
    }
    NIBBLE_TRY(std::string out, format_value(in_, v, spec));
    return safe_ && !(v.is(Kind::kString) && v.is_safe()) ? escape(out) : out;
  }

  Result<Value> value(std::string_view path) {
    const std::string_view name = path.substr(0, path.find_first_of(".["));
    NIBBLE_TRY(Value v, root(name, name.size() == path.size()));
    path.remove_prefix(name.size());
    while (!path.empty()) {
      const bool attribute = path[0] == '.';
      path.remove_prefix(1);
      const size_t end = std::min(path.find_first_of(attribute ? ".[" : "]"), path.size());
      const std::string_view key = path.substr(0, end);
      if (key.empty()) return invalid_input("Empty attribute in format string");
      const auto index = parse_integer(key, 10);
      NIBBLE_TRY(v, attribute ? in_.attribute(v, key)
                              : in_.item(v, index ? Value::integer(*index)
                                                  : Value::text(std::string(key))));
      path.remove_prefix(std::min(path.size(), end + !attribute));
    }
    return v;
  }

  // A number that has no attributes behind it forbids fields without a number, and they it.
  Result<Value> root(std::string_view name, bool alone) {
    auto number = parse_integer(name, 10);
    const bool numbered = number.has_value() && alone;
    if ((name.empty() && next_ < 0) || (numbered && next_ > 0))
      return invalid_input("cannot switch between automatic and manual field numbering");
    if (numbered) next_ = -1;
    if (name.empty()) number = next_++;
    if (number) {
      if (*number < Integer(fields_.positional.size())) return fields_.positional[size_t(*number)];
      return invalid_input("Replacement index {} out of range for positional args tuple",
                           int64_t(*number));
    }
    NIBBLE_CHECK(in_.spend(int64_t(fields_.named.size() / 4)));
    for (const auto& [key, v] : fields_.named)
      if (key == name) return v;
    return invalid_input("format: there is no {}", quote(name));
  }

  Interpreter& in_;
  bool safe_;
  const Args& fields_;
  Integer next_ = 0;  // of the fields without a number; -1: there may be none
};

}  // namespace

Result<std::string> format_value(Interpreter& in, const Value& v, std::string_view text) {
  if (text.empty()) return in.str(v);
  NIBBLE_TRY(const Spec spec, parse_spec(text));
  if (v.is_numeric()) return format_numeric(v, spec);
  if (!v.is(Kind::kString))
    return invalid_input("unsupported format string passed to {}.__format__", type_name(v));
  return format_text(v.str(), spec);
}

Result<Value> brace_format(Interpreter& in, const Value& format, const Args& fields) {
  NIBBLE_CHECK(in.spend_chars(format.str()));
  NIBBLE_TRY(std::string out, Braces(in, format, fields).run(format.str(), 0));
  return in.text(std::move(out), format.is_safe());
}

}  // namespace nibble::jinja
