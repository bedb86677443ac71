// UTF-8 by code point: decoding of text known to be valid, finding what is not valid, and repair as
// U+FFFD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nibble::text {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the code point whose first byte is given; the text must be valid.
inline int utf8_length(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// The code point at p; the text must be valid.
inline char32_t decode_utf8(const char* p) {
  const auto at = [p](int i) { return static_cast<unsigned char>(p[i]); };
  if (at(0) < 0x80) return at(0);
  if (at(0) < 0xE0) return (at(0) & 0x1Fu) << 6 | (at(1) & 0x3Fu);
  if (at(0) < 0xF0) return (at(0) & 0x0Fu) << 12 | (at(1) & 0x3Fu) << 6 | (at(2) & 0x3Fu);
  return (at(0) & 0x07u) << 18 | (at(1) & 0x3Fu) << 12 | (at(2) & 0x3Fu) << 6 | (at(3) & 0x3Fu);
}

// Start of the code point that ends before end (> 0); the text must be valid.
inline size_t previous_utf8(std::string_view text, size_t end) {
  size_t i = end - 1;
  while (i > 0 && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) --i;
  return i;
}

// The text must be valid.
inline bool is_one_code_point(std::string_view text) {
  return !text.empty() &&
         static_cast<size_t>(utf8_length(static_cast<unsigned char>(text[0]))) == text.size();
}

void append_utf8(std::string& out, char32_t code_point);

// What stands at the head of bytes (not empty): a whole code point, or a fault.
struct Utf8Head {
  int n_bytes;  // of the code point; of a fault, its maximal subpart (Unicode 3.9, U+FFFD
                // substitution): 1 to 3
  bool valid;
  bool incomplete;  // a fault only because the bytes end: more of them could complete it
};
Utf8Head utf8_head(std::string_view bytes);

// Length of the longest valid beginning.
size_t valid_utf8_prefix(std::string_view bytes);

// Appends bytes with every fault replaced by one U+FFFD.
void append_lossy(std::string& out, std::string_view bytes);

}  // namespace nibble::text
