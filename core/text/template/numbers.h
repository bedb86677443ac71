// Numbers from text, and what Python does with them.
#pragma once

#include <optional>
#include <string_view>

#include "core/text/template/value.h"

namespace nibble::jinja {

int digit_value(char c);  // of 0-9, a-z, A-Z; 99 for others
std::optional<Integer> parse_integer(std::string_view digits,
                                     int base);            // digits only; nothing on overflow
std::optional<double> parse_float(std::string_view text);  // plain decimal text
// int(text, base) and float(text): white space around, signs, underscores, prefixes, inf and nan.
// int_of fails on what is too large.
Result<std::optional<Integer>> int_of(std::string_view text, int base);
std::optional<double> float_of(std::string_view text);
// Fails on what is too large or no number.
Result<Integer> truncate(double value);
double divide(Integer a, Integer b);  // b not 0; correctly rounded
std::unexpected<Error> too_large();
// round(value, digits): half to even, exactly on the decimal digits.
double round_to(double value, int digits);

}  // namespace nibble::jinja
