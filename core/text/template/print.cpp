// str() and repr() as Python writes them.
#include "core/text/template/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/text/template/call.h"
#include "core/text/template/characters.h"
#include "core/text/template/runtime.h"
#include "core/text/unicode_case.h"

namespace nibble::jinja {
namespace {

constexpr int kMaxPrintDepth = 2 * kMaxValueDepth;

void append_escaped(std::string& out, char32_t c) {
  if (c < 0x100)
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", uint32_t(c));
  else if (c < 0x10000)
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", uint32_t(c));
  else
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", uint32_t(c));
}

class Printer {
 public:
  Printer(std::string& out, size_t limit) : out_(out), limit_(limit) {}

  Result<void> repr(const Value& v, int depth = 0) {
    if (out_.size() > limit_) return invalid_input("printed value larger than {} bytes", limit_);
    if (depth > kMaxPrintDepth) return invalid_input("printed value refers to itself");
    switch (v.kind()) {
      case Kind::kString:
        return string(v);
      case Kind::kList:
        return sequence("[", v.items(), "]", depth);
      case Kind::kTuple:
        return sequence("(", v.items(), v.items().size() == 1 ? ",)" : ")", depth);
      case Kind::kDict:
        return dict(v.as<Dict>(), depth);
      case Kind::kView:
        return view(v.as<View>(), type_name(v), depth);
      case Kind::kNamespace:
        return name_space(v.as<Namespace>(), depth);
      default:
        out_ += scalar(v);
        return {};
    }
  }

 private:
  Result<void> string(const Value& v) {
    out_ += v.is_safe() ? "Markup(" + quote(v.str()) + ")" : quote(v.str());
    return {};
  }
  Result<void> sequence(std::string_view open, const std::vector<Value>& items,
                        std::string_view close, int depth) {
    out_ += open;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += ", ";
      NIBBLE_CHECK(repr(items[i], depth + 1));
    }
    out_ += close;
    return {};
  }
  Result<void> pair(const Value& key, const Value& value, int depth) {
    NIBBLE_CHECK(repr(key, depth + 1));
    out_ += ": ";
    return repr(value, depth + 1);
  }
  Result<void> dict(const Dict& dict, int depth) {
    out_ += '{';
    for (size_t i = 0; i < dict.entries().size(); ++i) {
      if (i > 0) out_ += ", ";
      NIBBLE_CHECK(pair(dict.entries()[i].first, dict.entries()[i].second, depth));
    }
    out_ += '}';
    return {};
  }
  Result<void> view(const View& view, std::string_view name, int depth) {
    out_ += name;
    NIBBLE_CHECK(sequence("([", view_items(view), "])", depth));
    return {};
  }
  Result<void> name_space(const Namespace& space, int depth) {
    out_ += "<Namespace {";
    for (size_t i = 0; i < space.attributes.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += quote(space.attributes[i].first) + ": ";
      NIBBLE_CHECK(repr(space.attributes[i].second, depth + 1));
    }
    out_ += "}>";
    return {};
  }
  static std::string scalar(const Value& v) {
    switch (v.kind()) {
      case Kind::kUndefined:
        return "Undefined";
      case Kind::kNone:
        return "None";
      case Kind::kBool:
        return truth(v) ? "True" : "False";
      case Kind::kInt:
        return number_str(v.to_integer());
      case Kind::kFloat:
        return number_repr(v.to_number());
      case Kind::kRange: {
        const Range& r = v.as<Range>();
        const std::string ends = number_str(r.start) + ", " + number_str(r.stop);
        return "range(" + ends + (r.step == 1 ? ")" : ", " + number_str(r.step) + ")");
      }
      case Kind::kMacro:
        if (v.as<Macro>().name().empty()) return "<Macro anonymous>";
        return "<Macro " + quote(v.as<Macro>().name()) + ">";
      case Kind::kMethod:
        return fmt::format("<built-in method {} of {}>", v.as<Method>().name,
                           type_repr(v.as<Method>().receiver));
      case Kind::kBuiltin:
        return fmt::format("<function {}>", v.as<Builtin>().function->name);
      default:
        return fmt::format("<{}>", type_repr(v));
    }
  }

  std::string& out_;
  size_t limit_;
};

}  // namespace

std::string number_str(Integer value) { return fmt::format("{}", value); }

std::string number_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, size_t(end - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), end, exponent);
  const auto layout =
      exponent >= -4 && exponent < 16 ? std::chars_format::fixed : std::chars_format::scientific;
  const auto last = std::to_chars(buffer, buffer + sizeof buffer, value, layout).ptr;
  std::string out(buffer, last);
  if (layout == std::chars_format::fixed && out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::string quote(std::string_view text) {
  const bool twice = text.find('\'') != text.npos && text.find('"') == text.npos;
  const char mark = twice ? '"' : '\'';
  std::string out(1, mark);
  for (size_t at = 0; at < text.size();) {
    const size_t n = char_bytes(text, at);
    const char32_t c = char_at(text, at);
    if (c == char32_t(mark) || c == '\\')
      out += {'\\', char(c)};
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (c < 0x20 || c == 0x7F || (c > 0x7F && !is_printable(c)))
      append_escaped(out, c);
    else
      out += text.substr(at, n);
    at += n;
  }
  return out + mark;
}

Result<std::string> repr(const Value& v, size_t limit) {
  std::string out;
  NIBBLE_CHECK(Printer(out, limit).repr(v));
  if (out.size() > limit) return invalid_input("printed value larger than {} bytes", limit);
  return out;
}

std::string short_repr(const Value& v) {
  constexpr size_t kLength = 60;
  if (v.is(Kind::kString) && v.str().size() > kLength)
    return quote(std::string_view(v.str()).substr(0, char_offset(v.str(), kLength))) + "...";
  const auto text = repr(v, kLength);
  return text ? *text : fmt::format("<{}>", type_repr(v));
}

}  // namespace nibble::jinja
