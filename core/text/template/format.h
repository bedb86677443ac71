// Python's two ways to fill in a text: "%s" % value and "{}".format(value).
#pragma once

#include <string>
#include <string_view>

#include "core/text/template/runtime.h"

namespace nibble::jinja {

Result<Value> percent_format(Interpreter& in, const Value& format, const Value& values);
// fields: positional and named arguments.
Result<Value> brace_format(Interpreter& in, const Value& format, const Args& fields);
// format(value, spec): [[fill]align][sign][z][#][0][width][,][.precision][type].
Result<std::string> format_value(Interpreter& in, const Value& v, std::string_view spec);

struct NumberStyle {
  char type = 's';
  char sign = '-';  // or '+', ' '
  int precision = -1;
  bool alternate = false;   // prefix 0x, point kept
  bool plain_zero = false;  // no sign before a zero
  char group = '\0';        // ',' or '_'
};
// The digits of a number in the style of %d, %x, %f, %e, %g, or '\0': as %g but never without a
// fraction or exponent. Sign and prefix apart.
struct NumberText {
  std::string sign, prefix, digits;
};
Result<NumberText> format_number(const Value& v, const NumberStyle& style);
// Zeros before the digits, and marks between, until they are `width` characters.
void fill_groups(std::string& digits, const NumberStyle& style, size_t width);
// Puts the parts to width characters; align: < > ^ or = (fill between sign and digits).
std::string pad(std::string_view head, std::string_view body, size_t width, std::string_view fill,
                char align);

}  // namespace nibble::jinja
