// Text as Python sees it: code points, its notion of white space, its line ends. Bytes that are no
// UTF-8 count as one character each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nibble::jinja {

size_t count_chars(std::string_view text);
// Bytes of the character that begins at `at` < text.size().
size_t char_bytes(std::string_view text, size_t at);
char32_t char_at(std::string_view text, size_t at);
// Byte offset of the n-th character (text.size() when there are fewer), counted from byte `from`.
size_t char_offset(std::string_view text, size_t n, size_t from = 0);
std::vector<std::string_view> split_chars(std::string_view text);

bool is_space(char32_t c);  // str.isspace
std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);
std::string_view strip(std::string_view text);
// The same for a set of characters.
std::string_view strip_left(std::string_view text, std::string_view set);
std::string_view strip_right(std::string_view text, std::string_view set);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);

}  // namespace nibble::jinja
