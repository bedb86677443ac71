#include "core/text/byte_level.h"

#include <array>
#include <cstdint>

#include "core/text/utf8.h"

namespace nibble::text {
namespace {
constexpr int kAlphabetEnd = 0x100 + 68;

struct Alphabet {
  std::array<std::array<char, 2>, 256> bytes{};
  std::array<uint8_t, 256> length{};
  std::array<int16_t, kAlphabetEnd> byte_of{};
};

constexpr Alphabet make_alphabet() {
  Alphabet a;
  a.byte_of.fill(-1);
  int next = 0x100;
  for (int b = 0; b < 256; ++b) {
    const bool itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    const int c = itself ? b : next++;
    a.byte_of[c] = static_cast<int16_t>(b);
    a.length[b] = c < 0x80 ? 1 : 2;
    a.bytes[b] = c < 0x80 ? std::array<char, 2>{static_cast<char>(c), 0}
                          : std::array<char, 2>{static_cast<char>(0xC0 | c >> 6),
                                                static_cast<char>(0x80 | (c & 0x3F))};
  }
  return a;
}
constexpr Alphabet kAlphabet = make_alphabet();
}  // namespace

std::string_view byte_to_text(unsigned char byte) {
  return {kAlphabet.bytes[byte].data(), kAlphabet.length[byte]};
}

int text_to_byte(char32_t c) { return c < kAlphabetEnd ? kAlphabet.byte_of[c] : -1; }

void append_byte_level(std::string& out, std::string_view bytes) {
  for (const char b : bytes) out += byte_to_text(static_cast<unsigned char>(b));
}

void append_byte_level_decoded(std::string& out, std::string_view text) {
  const size_t before = out.size();
  for (size_t i = 0; i < text.size();) {
    const Utf8Head head = utf8_head(text.substr(i));
    const int byte = head.valid ? text_to_byte(decode_utf8(text.data() + i)) : -1;
    if (byte < 0) {
      out.resize(before);
      out += text;
      return;
    }
    out += static_cast<char>(byte);
    i += head.n_bytes;
  }
}

}  // namespace nibble::text
