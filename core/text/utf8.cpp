#include "core/text/utf8.h"

#include <cstring>

namespace nibble::text {
namespace {
struct LeadByte {
  int n_bytes;  // 0: no lead byte
  unsigned char least,
      most;  // bounds of the second byte: no overlong forms, surrogates, nothing above U+10FFFF
};

LeadByte lead_byte(unsigned char b) {
  if (b >= 0xC2 && b <= 0xDF) return {2, 0x80, 0xBF};
  if (b == 0xE0) return {3, 0xA0, 0xBF};
  if (b == 0xED) return {3, 0x80, 0x9F};
  if (b >= 0xE1 && b <= 0xEF) return {3, 0x80, 0xBF};
  if (b == 0xF0) return {4, 0x90, 0xBF};
  if (b >= 0xF1 && b <= 0xF3) return {4, 0x80, 0xBF};
  if (b == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

size_t ascii_prefix(std::string_view bytes) {
  size_t i = 0;
  for (uint64_t word; i + 8 <= bytes.size(); i += 8) {
    std::memcpy(&word, bytes.data() + i, 8);
    if (word & 0x8080808080808080u) break;
  }
  while (i < bytes.size() && static_cast<unsigned char>(bytes[i]) < 0x80) ++i;
  return i;
}
}  // namespace

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  }
}

Utf8Head utf8_head(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) return {1, true, false};
  const LeadByte lead = lead_byte(first);
  if (lead.n_bytes == 0) return {1, false, false};
  for (int i = 1; i < lead.n_bytes; ++i) {
    if (static_cast<size_t>(i) == bytes.size()) return {i, false, true};
    const auto next = static_cast<unsigned char>(bytes[i]);
    const bool good = i == 1 ? next >= lead.least && next <= lead.most : (next & 0xC0) == 0x80;
    if (!good) return {i, false, false};
  }
  return {lead.n_bytes, true, false};
}

size_t valid_utf8_prefix(std::string_view bytes) {
  size_t i = ascii_prefix(bytes);
  while (i < bytes.size()) {
    const Utf8Head head = utf8_head(bytes.substr(i));
    if (!head.valid) return i;
    i += head.n_bytes;
    if (i < bytes.size() && static_cast<unsigned char>(bytes[i]) < 0x80)
      i += ascii_prefix(bytes.substr(i));
  }
  return i;
}

void append_lossy(std::string& out, std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t valid = valid_utf8_prefix(bytes);
    out += bytes.substr(0, valid);
    bytes.remove_prefix(valid);
    if (bytes.empty()) return;
    out += kReplacement;
    bytes.remove_prefix(utf8_head(bytes).n_bytes);
  }
}

}  // namespace nibble::text
