// Values as text: Python's str() and repr(), and JSON as json.dumps writes it.
#pragma once

#include <string>
#include <string_view>

#include "core/text/template/value.h"

namespace nibble::jinja {

Result<std::string> repr(const Value& v, size_t limit);
std::string quote(std::string_view text);  // repr of a string
std::string short_repr(const Value& v);    // for messages: cut after some 60 bytes
std::string number_repr(double value);     // shortest digits that read back as the same double
std::string number_str(Integer value);

struct JsonStyle {
  bool ascii = false;
  bool sort_keys = false;
  std::string indent;  // of one level; with `pretty`
  bool pretty = false;
  std::string item_separator = ", ", key_separator = ": ";
};
Result<std::string> to_json(const Value& v, const JsonStyle& style, size_t limit);

}  // namespace nibble::jinja
