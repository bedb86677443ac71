#include "core/text/template/numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/text/template/characters.h"
#include "core/text/template/print.h"

namespace nibble::jinja {
namespace {

// Without the underscores that stand between two digits; nothing when one stands elsewhere.
std::optional<std::string> plain_digits(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const bool between = i > 0 && i + 1 < text.size() && digit_value(text[i - 1]) < 36 &&
                         digit_value(text[i + 1]) < 36;
    if (!between) return std::nullopt;
  }
  return out;
}

bool take_sign(std::string_view& text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  return minus;
}

int prefix_base(std::string_view text) {
  if (text.size() < 3 || text[0] != '0') return 0;
  const char p = char(text[1] | 0x20);
  return p == 'x' ? 16 : p == 'o' ? 8 : p == 'b' ? 2 : 0;
}

bool same_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (size_t i = 0; i < text.size(); ++i)
    if (char(text[i] | 0x20) != word[i]) return false;
  return true;
}

}  // namespace

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

std::optional<Integer> parse_integer(std::string_view digits, int base) {
  if (digits.empty()) return std::nullopt;
  Integer value = 0;
  for (const char c : digits) {
    if (digit_value(c) >= base) return std::nullopt;
    if (__builtin_mul_overflow(value, Integer(base), &value) ||
        __builtin_add_overflow(value, Integer(digit_value(c)), &value))
      return std::nullopt;
  }
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    const size_t e = text.find_first_of("eE");
    const bool tiny = e != text.npos && text.substr(e + 1).starts_with('-');
    return tiny ? 0.0 : double(INFINITY);
  }
  if (error != std::errc()) return std::nullopt;
  return value;
}

Result<std::optional<Integer>> int_of(std::string_view text, int base) {
  text = strip(text);
  const bool minus = take_sign(text);
  const int prefix = prefix_base(text);
  if (prefix != 0 && (base == prefix || base == 0)) {
    text.remove_prefix(2);
    if (text.starts_with('_')) text.remove_prefix(1);
    base = prefix;
  }
  const auto digits = plain_digits(text);
  if (!digits) return std::nullopt;
  if (base == 0) {
    const bool leading_zero =
        digits->size() > 1 && (*digits)[0] == '0' && digits->find_first_not_of('0') != digits->npos;
    if (leading_zero) return std::nullopt;
    base = 10;
  }
  const bool valid = !digits->empty() &&
                     std::ranges::all_of(*digits, [&](char c) { return digit_value(c) < base; });
  if (!valid) return std::nullopt;
  const auto value = parse_integer(*digits, base);
  if (!value) return too_large();
  return minus ? -*value : *value;
}

std::optional<double> float_of(std::string_view text) {
  text = strip(text);
  const bool minus = take_sign(text);
  double value = 0;
  if (same_word(text, "inf") || same_word(text, "infinity")) {
    value = INFINITY;
  } else if (same_word(text, "nan")) {
    value = NAN;
  } else {
    const auto digits = plain_digits(text);
    if (!digits || digits->empty() || digit_value(digits->back()) > 9) {
      if (!digits || !digits->ends_with('.')) return std::nullopt;
    }
    if (digit_value((*digits)[0]) > 9 && (*digits)[0] != '.') return std::nullopt;
    const auto parsed = parse_float(digits->ends_with('.') ? *digits + "0" : *digits);
    if (!parsed) return std::nullopt;
    value = *parsed;
  }
  return minus ? -value : value;
}

Result<Integer> truncate(double value) {
  if (!std::isfinite(value))
    return invalid_input("cannot convert float {} to integer", number_repr(value));
  if (std::abs(value) >= 0x1p127) return too_large();
  return Integer(value);
}

std::unexpected<Error> too_large() {
  return invalid_input("an integer beyond 127 bits is not supported");
}

double divide(Integer a, Integer b) {
  const auto size = [](Integer i) { return i < 0 ? -Magnitude(i) : Magnitude(i); };
  const Magnitude divisor = size(b);
  Magnitude quotient = size(a) / divisor, rest = size(a) % divisor;
  if (size(a) <= Magnitude(1) << 53 && divisor <= Magnitude(1) << 53) return double(a) / double(b);
  int exponent = 0;
  for (; quotient >> 64 == 0 && a != 0; --exponent) {
    rest *= 2;
    quotient = quotient * 2 + (rest >= divisor);
    if (rest >= divisor) rest -= divisor;
  }
  quotient |= rest != 0;  // what is left decides between two neighbours at the same distance
  const double value = std::ldexp(double(quotient), exponent);
  return (a < 0) != (b < 0) ? -value : value;
}

double round_to(double value, int digits) {
  if (!std::isfinite(value) || digits > 320) return value;
  if (digits < -308) return std::copysign(0.0, value);
  if (digits < 0) {
    const double scale = std::pow(10.0, -digits);
    return std::nearbyint(value / scale) * scale;
  }
  // The decimal expansion rounded correctly (ties to even on the exact value), and read back.
  const std::string text = fmt::format("{:.{}f}", value, digits);
  return parse_float(text[0] == '-' ? text.substr(1) : text).value_or(std::abs(value)) *
         (std::signbit(value) ? -1 : 1);
}

}  // namespace nibble::jinja
