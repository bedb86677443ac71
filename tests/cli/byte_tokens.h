// GPT-2's printable stand-ins for the 256 bytes.
#pragma once

#include <string>
#include <vector>

namespace nibble::tests {

inline std::vector<std::string> byte_tokens() {
  std::vector<std::string> tokens(256);
  for (int byte = 0, next = 256; byte < 256; ++byte) {
    const bool shown = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    const int c = shown ? byte : next++;
    std::string& text = tokens[static_cast<size_t>(byte)];
    if (c >= 0x80) text += static_cast<char>(0xC0 | c >> 6);
    text += static_cast<char>(c < 0x80 ? c : 0x80 | (c & 0x3F));
  }
  return tokens;
}

}  // namespace nibble::tests
