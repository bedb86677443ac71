// Numbers in the styles that % and str.format share, and padding.
#include <algorithm>
#include <cmath>

#include "core/text/template/characters.h"
#include "core/text/template/format.h"
#include "core/text/template/numbers.h"
#include "core/text/template/print.h"

namespace nibble::jinja {
namespace {

// Leading digits that groups are made of, and digits in one.
size_t whole_digits(std::string_view digits, const NumberStyle& style) {
  const bool hex = style.type == 'x' || style.type == 'X';
  return std::min(digits.find_first_not_of(hex ? "0123456789abcdefABCDEF" : "0123456789"),
                  digits.size());
}
size_t group_size(const NumberStyle& style) {
  return std::string_view("xXob").contains(style.type) ? 4 : 3;
}

std::string untyped_digits(double f, int precision) {
  const std::string scientific = fmt::format("{:.{}e}", f, precision - 1);
  const size_t e = scientific.find('e');
  const int exponent = std::stoi(scientific.substr(e + 1));
  if (exponent >= -4 && exponent < precision - 1) {
    const std::string digits = fmt::format("{:.{}g}", f, precision);
    return digits.contains('.') ? digits : digits + ".0";
  }
  std::string digits = scientific.substr(0, e);
  if (digits.contains('.')) digits.resize(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits + scientific.substr(e);
}

std::string float_digits(double f, const NumberStyle& style) {
  const int precision = style.precision < 0 ? 6 : style.precision;
  if (std::isnan(f) || std::isinf(f)) {
    const bool upper = style.type == 'F' || style.type == 'E' || style.type == 'G';
    return std::isnan(f) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");
  }
  const auto with = [&](auto pattern, int digits) {
    return fmt::format(fmt::runtime(pattern), f, digits);
  };
  switch (style.type) {
    case '\0':
      return style.precision < 0 ? number_repr(f) : untyped_digits(f, std::max(precision, 1));
    case 'f':
    case 'F':
      return style.alternate ? with("{:#.{}f}", precision) : with("{:.{}f}", precision);
    case 'e':
      return style.alternate ? with("{:#.{}e}", precision) : with("{:.{}e}", precision);
    case 'E':
      return with("{:.{}E}", precision);
    case 'G':
      return with("{:.{}G}", std::max(precision, 1));
    case '%':
      return fmt::format("{:.{}f}%", f * 100, precision);
    default:
      return style.alternate ? with("{:#.{}g}", std::max(precision, 1))
                             : with("{:.{}g}", std::max(precision, 1));
  }
}

std::string integer_digits(Integer i, const NumberStyle& style, std::string& prefix) {
  const Magnitude u = i < 0 ? -Magnitude(i) : Magnitude(i);
  switch (style.type) {
    case 'x':
    case 'X':
      prefix = style.alternate ? std::string{'0', style.type} : "";
      return style.type == 'x' ? fmt::format("{:x}", u) : fmt::format("{:X}", u);
    case 'o':
      prefix = style.alternate ? "0o" : "";
      return fmt::format("{:o}", u);
    case 'b':
      prefix = style.alternate ? "0b" : "";
      return fmt::format("{:b}", u);
    default:
      return fmt::format("{}", u);
  }
}

bool is_integer_type(char c) { return c != '\0' && std::string_view("diuxXob").contains(c); }

std::string sign_of(bool negative, char sign) {
  if (negative) return "-";
  return sign == '-' ? "" : std::string(1, sign);
}

}  // namespace

Result<NumberText> format_number(const Value& v, const NumberStyle& style) {
  NumberText out;
  if (is_integer_type(style.type)) {
    Integer i = 0;
    if (v.is(Kind::kFloat)) {
      NIBBLE_TRY(i, truncate(v.to_number()));
    } else {
      i = v.to_integer();
    }
    out.digits = integer_digits(i, style, out.prefix);
    if (style.precision > int(out.digits.size()))
      out.digits.insert(0, size_t(style.precision) - out.digits.size(), '0');
    out.sign = sign_of(i < 0, style.sign);
  } else {
    const double f = v.to_number();
    out.digits = float_digits(std::abs(f), style);
    const bool zero = out.digits.find_first_of("123456789in") == std::string::npos;
    out.sign =
        sign_of(std::signbit(f) && !std::isnan(f) && !(zero && style.plain_zero), style.sign);
  }
  return out;
}

void fill_groups(std::string& digits, const NumberStyle& style, size_t width) {
  size_t whole = whole_digits(digits, style);
  const size_t rest = digits.size() - whole, n = group_size(style);
  if (whole == 0) return;
  size_t missing = 0;
  while (whole + (whole - 1) / n + rest < width) ++whole, ++missing;
  digits.insert(0, missing, '0');
  std::string out;
  for (size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % n == 0) out += style.group;
    out += digits[i];
  }
  digits.replace(0, whole, out);
}

std::string pad(std::string_view head, std::string_view body, size_t width, std::string_view fill,
                char align) {
  const size_t n = count_chars(head) + count_chars(body);
  std::string gap;
  const size_t missing = width > n ? width - n : 0;
  const size_t before = align == '^' ? missing / 2 : align == '<' ? 0 : missing;
  for (size_t i = 0; i < before; ++i) gap += fill;
  std::string out = align == '=' ? std::string(head) + gap : gap + std::string(head);
  out += body;
  for (size_t i = before; i < missing; ++i) out += fill;
  return out;
}

}  // namespace nibble::jinja
