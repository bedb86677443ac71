// GPT-2's alphabet for bytes: each byte is one printable code point, so that a vocabulary of text
// can hold any bytes. Bytes 33-126, 161-172 and 174-255 stand for themselves; the other 68 follow
// from U+0100 in order (Radford 2019).
#pragma once

#include <string>
#include <string_view>

namespace nibble::text {

std::string_view byte_to_text(unsigned char byte);  // one code point, one or two bytes of UTF-8
int text_to_byte(char32_t code_point);              // -1: not in the alphabet
void append_byte_level(std::string& out, std::string_view bytes);
// Appends the bytes that text stands for; text with a code point outside the alphabet is appended
// as it is.
void append_byte_level_decoded(std::string& out, std::string_view text);

}  // namespace nibble::text
