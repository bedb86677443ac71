// Text from a file, made fit for one line of a message: what a hostile file names its tensors must
// not move a cursor.
#pragma once

#include <string>
#include <string_view>

namespace nibble {

// text without control characters and invalid UTF-8 (written as \xHH), cut off after about
// max_bytes with "...".
std::string printable(std::string_view text, size_t max_bytes = 80);
// The same between single quotes.
std::string in_quotes(std::string_view text);

}  // namespace nibble
