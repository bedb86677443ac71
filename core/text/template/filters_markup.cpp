// Filters that know HTML: escaping, |safe, URLs.
#include "core/text/template/characters.h"
#include "core/text/template/markup.h"
#include "core/text/template/print.h"
#include "core/text/template/runtime.h"

namespace nibble::jinja {
namespace {

Result<Value> escape_filter(Interpreter& in, const Value& self, const Params&) {
  if (self.is(Kind::kString) && self.is_safe()) return self;
  NIBBLE_TRY(const std::string s, in.str(self));
  return in.text(escape(s), true);
}

Result<Value> force_escape(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_TRY(const std::string s, in.str(self));
  return in.text(escape(s), true);
}

Result<Value> safe(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_TRY(std::string s, in.str(self));
  return Value::text(std::move(s), true);
}

Result<Value> strip_tags_filter(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_TRY(const std::string s, in.str(self));
  NIBBLE_CHECK(in.spend_chars(s));
  return in.text(strip_tags(s));
}

Result<Value> urlencode(Interpreter& in, const Value& self, const Params&) {
  if (self.is(Kind::kString) || !is_iterable(self)) {
    NIBBLE_TRY(const std::string s, in.str(self));
    NIBBLE_CHECK(in.spend_chars(s));
    return in.text(url_quote(s, false));
  }
  View view;
  view.what = View::kItems;
  view.dict = self;
  std::vector<Value> pairs;
  if (self.is(Kind::kDict)) {
    pairs = view_items(view);
  } else {
    NIBBLE_TRY(pairs, in.collect(self));
  }
  std::string out;
  for (const Value& pair : pairs) {
    NIBBLE_TRY(const std::vector<Value> both, in.collect(pair));
    if (both.size() != 2) return invalid_input("urlencode: pairs of key and value wanted");
    NIBBLE_TRY(const std::string key, in.str(both[0]));
    NIBBLE_TRY(const std::string value, in.str(both[1]));
    NIBBLE_CHECK(in.spend_chars(key));
    NIBBLE_CHECK(in.spend_chars(value));
    if (!out.empty()) out += '&';
    out += url_quote(key, true) + "=" + url_quote(value, true);
    if (out.size() > in.max_bytes()) NIBBLE_CHECK(in.spend_bytes(out.size()));
  }
  return in.text(std::move(out));
}

Result<Value> xmlattr(Interpreter& in, const Value& self, const Params& p) {
  if (!self.is(Kind::kDict))
    return invalid_input("xmlattr: a dict wanted, got {}", type_name(self));
  std::string out;
  for (const auto& [key, value] : self.as<Dict>().entries()) {
    if (value.is(Kind::kNone) || value.is_undefined()) continue;
    NIBBLE_TRY(const std::string name, in.str(key));
    if (name.find_first_of(" \t\n\r\f\v/>=") != name.npos)
      return invalid_input("Invalid character in attribute name: {}", quote(name));
    NIBBLE_TRY(const std::string text, in.str(value));
    const bool marked = value.is(Kind::kString) && value.is_safe();
    if (!out.empty()) out += ' ';
    out += escape(name) + "=\"" + (marked ? text : escape(text)) + "\"";
    if (out.size() > in.max_bytes()) NIBBLE_CHECK(in.spend_bytes(out.size()));
  }
  if (p.flag(0, true) && !out.empty()) out.insert(0, " ");
  return in.text(std::move(out));
}

constexpr Function kFilters[] = {
    {"e", "", 0, escape_filter},
    {"escape", "", 0, escape_filter},
    {"forceescape", "", 0, force_escape},
    {"safe", "", 0, safe},
    {"striptags", "", 0, strip_tags_filter},
    {"urlencode", "", 0, urlencode},
    {"xmlattr", "autospace", 0, xmlattr},
};

}  // namespace

std::pair<const Function*, size_t> tables::markup_filters() {
  return {kFilters, std::size(kFilters)};
}

}  // namespace nibble::jinja
