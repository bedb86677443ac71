#include "core/text/template/characters.h"

#include <algorithm>

#include "core/text/utf8.h"

namespace nibble::jinja {
namespace {

bool is_continuation(char c) { return (uint8_t(c) & 0xC0) == 0x80; }

size_t sequence_bytes(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

size_t previous_char(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && end - at < 4 && is_continuation(text[at])) --at;
  return at + char_bytes(text, at) == end ? at : end - 1;
}

bool is_line_end(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

bool contains(std::string_view set, std::string_view c) {
  for (size_t at = 0; at < set.size(); at += char_bytes(set, at))
    if (set.substr(at, char_bytes(set, at)) == c) return true;
  return false;
}

template <class Drop>
std::string_view strip_left_if(std::string_view text, Drop drop) {
  size_t at = 0;
  while (at < text.size() && drop(text, at, char_bytes(text, at))) at += char_bytes(text, at);
  return text.substr(at);
}

template <class Drop>
std::string_view strip_right_if(std::string_view text, Drop drop) {
  size_t end = text.size();
  while (end > 0) {
    const size_t at = previous_char(text, end);
    if (!drop(text, at, end - at)) break;
    end = at;
  }
  return text.substr(0, end);
}

bool space_at(std::string_view text, size_t at, size_t) { return is_space(char_at(text, at)); }

}  // namespace

size_t char_bytes(std::string_view text, size_t at) {
  const size_t n = sequence_bytes(uint8_t(text[at]));
  if (n == 0 || at + n > text.size()) return 1;
  for (size_t i = 1; i < n; ++i)
    if (!is_continuation(text[at + i])) return 1;
  return n;
}

char32_t char_at(std::string_view text, size_t at) {
  if (char_bytes(text, at) > 1) return text::decode_utf8(text.data() + at);
  return uint8_t(text[at]) < 0x80 ? char32_t(text[at]) : 0xFFFD;
}

size_t count_chars(std::string_view text) {
  const bool ascii = std::ranges::none_of(text, [](char c) { return uint8_t(c) >= 0x80; });
  if (ascii) return text.size();
  size_t n = 0;
  for (size_t at = 0; at < text.size(); at += char_bytes(text, at)) ++n;
  return n;
}

size_t char_offset(std::string_view text, size_t n, size_t from) {
  size_t at = from;
  while (n-- > 0 && at < text.size()) at += char_bytes(text, at);
  return std::min(at, text.size());
}

std::vector<std::string_view> split_chars(std::string_view text) {
  std::vector<std::string_view> chars;
  for (size_t at = 0; at < text.size(); at += chars.back().size())
    chars.push_back(text.substr(at, char_bytes(text, at)));
  return chars;
}

bool is_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view strip_left(std::string_view text) { return strip_left_if(text, space_at); }
std::string_view strip_right(std::string_view text) { return strip_right_if(text, space_at); }
std::string_view strip(std::string_view text) { return strip_left(strip_right(text)); }

std::string_view strip_left(std::string_view text, std::string_view set) {
  return strip_left_if(text, [&](std::string_view t, size_t at, size_t n) {
    return contains(set, t.substr(at, n));
  });
}
std::string_view strip_right(std::string_view text, std::string_view set) {
  return strip_right_if(text, [&](std::string_view t, size_t at, size_t n) {
    return contains(set, t.substr(at, n));
  });
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t begin = 0, at = 0;
  while (at < text.size()) {
    const size_t end = at, n = char_bytes(text, at);
    const char32_t c = char_at(text, at);
    at += n;
    if (!is_line_end(c)) continue;
    if (c == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(begin, (keep_ends ? at : end) - begin));
    begin = at;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

}  // namespace nibble::jinja
