// Python's two ways to fill in a text: "%s" % value and "{}".format(value).
#pragma once

#include <string>
#include <string_view>

#include "core/text/template/runtime.h"

namespace nibble::jinja {

Result<Value> percent_format(Interpreter& in, const Value& format, const Value& values);
// fields: positional and named arguments.
Result<Value> brace_format(Interpreter& in, const Value& format, const Args& fields);
// format(value, spec): [[fill]align][sign][#][0][width][,][.precision][type].
Result<std::string> format_value(Interpreter& in, const Value& v, std::string_view spec);

struct NumberStyle {
  char type = 's';
  char sign = '-';  // or '+', ' '
  int precision = -1;
  bool alternate = false;  // prefix 0x, point kept
  char group = '\0';       // ',' or '_'
};
// The digits of a number in the style of %d, %x, %f, %e, %g; sign and prefix apart.
struct NumberText {
  std::string sign, prefix, digits;
};
Result<NumberText> format_number(const Value& v, const NumberStyle& style);
// Puts the parts to width characters; align: < > ^ or = (fill between sign and digits).
std::string pad(std::string_view head, std::string_view body, size_t width, std::string_view fill,
                char align);

}  // namespace nibble::jinja
