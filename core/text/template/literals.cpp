#include "core/text/template/literals.h"

#include <charconv>

#include "core/base/printable.h"
#include "core/text/template/numbers.h"
#include "core/text/utf8.h"

namespace nibble::jinja {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int escape_digits(char c) { return c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0; }

constexpr std::string_view kEscapes = "abfnrtv\\'\"";
constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\'\"";

class Unescaper {
 public:
  explicit Unescaper(std::string_view text) : text_(text) {}

  Result<std::string> run() {
    while (at_ < text_.size()) {
      if (text_[at_] != '\\' || at_ + 1 == text_.size())
        out_ += text_[at_++];
      else
        NIBBLE_CHECK(escape(text_[at_ + 1]));
    }
    return std::move(out_);
  }

 private:
  Result<void> escape(char c) {
    if (const size_t i = kEscapes.find(c); i != kEscapes.npos) {
      out_ += kEscaped[i];
      at_ += 2;
    } else if (c == '\n') {
      at_ += 2;
    } else if (c >= '0' && c <= '7') {
      octal();
    } else if (const int n = escape_digits(c)) {
      return hex(n);
    } else if (c == 'N') {
      return invalid_input("\\N{{...}} escapes are not supported");
    } else {
      out_ += '\\';
      ++at_;
    }
    return {};
  }
  void octal() {
    uint32_t value = 0;
    size_t i = at_ + 1;
    for (; i < text_.size() && i < at_ + 4 && text_[i] >= '0' && text_[i] <= '7'; ++i)
      value = value * 8 + uint32_t(text_[i] - '0');
    text::append_utf8(out_, value);
    at_ = i;
  }
  Result<uint32_t> digits(size_t at, int n) const {
    uint32_t value = 0;
    const char* begin = text_.data() + at;
    if (at + size_t(n) > text_.size() ||
        std::from_chars(begin, begin + n, value, 16).ptr != begin + n)
      return invalid_input("truncated \\{}{} escape", text_[at - 1], std::string(size_t(n), 'X'));
    return value;
  }
  Result<void> hex(int n) {
    NIBBLE_TRY(uint32_t c, digits(at_ + 2, n));
    at_ += 2 + size_t(n);
    const bool high = c >= 0xD800 && c < 0xDC00;
    if (high && text_.substr(at_).starts_with("\\u")) {
      NIBBLE_TRY(const uint32_t low, digits(at_ + 2, 4));
      if (low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        at_ += 6;
      }
    }
    if (c > 0x10FFFF) return invalid_input("illegal Unicode character");
    text::append_utf8(out_, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string out_;
};

// Digits with single underscores between them.
size_t run_of_digits(std::string_view text, size_t at) {
  if (at >= text.size() || !is_digit(text[at])) return at;
  while (at < text.size() && (is_digit(text[at]) ||
                              (text[at] == '_' && at + 1 < text.size() && is_digit(text[at + 1]))))
    ++at;
  return at;
}

// Bytes of the float at the start, 0 when there is none.
size_t float_bytes(std::string_view text) {
  const size_t whole = run_of_digits(text, 0);
  size_t end = whole;
  if (end < text.size() && text[end] == '.') {
    const size_t fraction = run_of_digits(text, end + 1);
    if (fraction > end + 1) end = fraction;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    const size_t sign = end + 1 < text.size() && (text[end + 1] == '+' || text[end + 1] == '-');
    const size_t exponent = run_of_digits(text, end + 1 + sign);
    if (exponent > end + 1 + sign) end = exponent;
  }
  return end > whole ? end : 0;
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '_') out += c;
  return out;
}

// 0x, 0o, 0b with at least one digit: bytes of it, else 0.
size_t prefixed_bytes(std::string_view text, int& base) {
  if (text.size() < 3 || text[0] != '0') return 0;
  const char p = char(text[1] | 0x20);
  base = p == 'x' ? 16 : p == 'o' ? 8 : p == 'b' ? 2 : 0;
  if (base == 0) return 0;
  const auto is_base_digit = [&](char c) { return digit_value(c) < base; };
  size_t at = 2;
  while (at < text.size() && (is_base_digit(text[at]) || (text[at] == '_' && at + 1 < text.size() &&
                                                          is_base_digit(text[at + 1]))))
    ++at;
  return at > 2 ? at : 0;
}

}  // namespace

Result<std::string> unescape(std::string_view text) { return Unescaper(text).run(); }

Result<NumberLiteral> scan_number(std::string_view text, bool allow_float) {
  NumberLiteral n;
  if (const size_t bytes = allow_float ? float_bytes(text) : 0) {
    n.n_bytes = bytes;
    n.is_float = true;
    n.number = parse_float(without_underscores(text.substr(0, bytes))).value_or(0);
    return n;
  }
  int base = 10;
  n.n_bytes = prefixed_bytes(text, base);
  if (n.n_bytes == 0) {
    base = 10;
    n.n_bytes = run_of_digits(text, 0);
    // "012" is the integer 0 and then 12, which no grammar rule takes.
    if (text[0] == '0') {
      n.n_bytes = 1;
      while (n.n_bytes < text.size() && text[n.n_bytes] == '0') ++n.n_bytes;
    }
  }
  const auto digits =
      without_underscores(text.substr(base == 10 ? 0 : 2, n.n_bytes - (base == 10 ? 0 : 2)));
  const auto value = parse_integer(digits, base);
  if (!value) return invalid_input("integer {} is too large", printable(text.substr(0, n.n_bytes)));
  n.integer = *value;
  return n;
}

}  // namespace nibble::jinja
