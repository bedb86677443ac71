// JSON as Python's json.dumps writes it: ", " and ": ", floats as repr, keys that are no strings
// converted.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text/template/characters.h"
#include "core/text/template/print.h"

namespace nibble::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, size_t limit) : style_(style), limit_(limit) {}
  std::string out;

  Result<void> write(const Value& v) {
    if (out.size() > limit_) return invalid_input("tojson: more than {} bytes", limit_);
    switch (v.kind()) {
      case Kind::kNone:
        out += "null";
        return {};
      case Kind::kBool:
        out += truth(v) ? "true" : "false";
        return {};
      case Kind::kInt:
        out += number_str(v.to_integer());
        return {};
      case Kind::kFloat:
        out += json_number(v.to_number());
        return {};
      case Kind::kString:
        string(v.str());
        return {};
      case Kind::kList:
      case Kind::kTuple:
        return array(v.items());
      case Kind::kDict:
        return object(v.as<Dict>());
      default:
        return invalid_input("Object of type {} is not JSON serializable", type_name(v));
    }
  }

 private:
  static std::string json_number(double f) {
    if (std::isnan(f)) return "NaN";
    if (std::isinf(f)) return f > 0 ? "Infinity" : "-Infinity";
    return number_repr(f);
  }

  void unit(uint32_t code) { fmt::format_to(std::back_inserter(out), "\\u{:04x}", code); }

  void escaped(char32_t c) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\b':
        out += "\\b";
        break;
      default:
        if (c < 0x10000) return unit(uint32_t(c));
        unit(0xD800 + ((uint32_t(c) - 0x10000) >> 10));
        unit(0xDC00 + (uint32_t(c) & 0x3FF));
    }
  }

  void string(std::string_view text) {
    out += '"';
    for (size_t at = 0; at < text.size();) {
      const size_t n = char_bytes(text, at);
      const char32_t c = char_at(text, at);
      const bool escape = c < 0x20 || c == '"' || c == '\\' || (style_.ascii && c > 0x7E);
      if (escape)
        escaped(c);
      else
        out += text.substr(at, n);
      at += n;
    }
    out += '"';
  }

  void line() {
    if (!style_.pretty) return;
    out += '\n';
    for (int i = 0; i < level_; ++i) out += style_.indent;
  }
  void between(bool first) {
    if (!first) out += style_.item_separator;
    line();
  }

  Result<void> array(const std::vector<Value>& items) {
    if (items.empty()) {
      out += "[]";
      return {};
    }
    out += '[';
    ++level_;
    for (size_t i = 0; i < items.size(); ++i) {
      between(i == 0);
      NIBBLE_CHECK(write(items[i]));
    }
    --level_;
    line();
    out += ']';
    return {};
  }

  Result<std::string> key_text(const Value& key) const {
    switch (key.kind()) {
      case Kind::kString:
        return key.str();
      case Kind::kNone:
        return std::string("null");
      case Kind::kBool:
        return std::string(truth(key) ? "true" : "false");
      case Kind::kInt:
        return number_str(key.to_integer());
      case Kind::kFloat:
        return json_number(key.to_number());
      default:
        return invalid_input("keys must be str, int, float, bool or None, not {}", type_name(key));
    }
  }

  Result<std::vector<const Dict::Entry*>> ordered(const Dict& dict) const {
    std::vector<const Dict::Entry*> entries;
    for (const auto& entry : dict.entries()) entries.push_back(&entry);
    if (!style_.sort_keys) return entries;
    for (const auto* entry : entries) {
      const auto comparable = compare(entries[0]->first, entry->first, "<");
      if (!comparable && entries.size() > 1) return std::unexpected(comparable.error());
    }
    std::ranges::stable_sort(entries, [](const auto* a, const auto* b) {
      return compare(a->first, b->first, "<").value_or(0) == -1;
    });
    return entries;
  }

  Result<void> object(const Dict& dict) {
    if (dict.entries().empty()) {
      out += "{}";
      return {};
    }
    NIBBLE_TRY(const auto entries, ordered(dict));
    out += '{';
    ++level_;
    for (size_t i = 0; i < entries.size(); ++i) {
      between(i == 0);
      NIBBLE_TRY(const std::string key, key_text(entries[i]->first));
      string(key);
      out += style_.key_separator;
      NIBBLE_CHECK(write(entries[i]->second));
    }
    --level_;
    line();
    out += '}';
    return {};
  }

  const JsonStyle& style_;
  size_t limit_;
  int level_ = 0;
};

}  // namespace

Result<std::string> to_json(const Value& v, const JsonStyle& style, size_t limit) {
  JsonWriter writer(style, limit);
  NIBBLE_CHECK(writer.write(v));
  if (writer.out.size() > limit) return invalid_input("tojson: more than {} bytes", limit);
  return std::move(writer.out);
}

}  // namespace nibble::jinja
