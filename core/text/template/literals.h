// String and number literals as template source writes them.
#pragma once

#include <string>
#include <string_view>

#include "core/text/template/value.h"

namespace nibble::jinja {

// Python's escapes: \n, \x41, \u00e9, \N is refused, an unknown one stays as it is.
Result<std::string> unescape(std::string_view text);

struct NumberLiteral {
  size_t n_bytes = 0;
  bool is_float = false;
  Integer integer = 0;
  double number = 0;
};
// The number at the start of the text, which begins with a digit. allow_float: off after a dot
// (a.0.1).
Result<NumberLiteral> scan_number(std::string_view text, bool allow_float);

}  // namespace nibble::jinja
