#include "core/base/printable.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace nibble {
namespace {

// Length of the well-formed UTF-8 sequence of a printable character at the start of text, 0 if
// there is none.
size_t printable_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || n > text.size()) return 0;
  uint32_t code = first & (0xffu >> (n + 1));
  for (size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0xa0, 0x800, 0x10000};  // from U+00A0: no C1 controls
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  const bool moves_text = (code >= 0x200e && code <= 0x200f) ||
                          (code >= 0x2028 && code <= 0x202e) ||
                          (code >= 0x2066 && code <= 0x2069);  // direction marks, line separators
  return code < kLeast[n] || code > 0x10ffff || surrogate || moves_text ? 0 : n;
}

}  // namespace

std::string printable(std::string_view text, size_t max_bytes) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= max_bytes) return out + "...";
    const size_t n = printable_length(text);
    if (n)
      out.append(text.substr(0, n));
    else
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<uint8_t>(text[0]));
    text.remove_prefix(n ? n : 1);
  }
  return out;
}

std::string in_quotes(std::string_view text) { return "'" + printable(text) + "'"; }

}  // namespace nibble
