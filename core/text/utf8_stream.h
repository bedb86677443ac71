// Bytes of tokens, as they come, to text that can be shown: a code point that a token ends within
// is held back until its other bytes come; bytes that are no UTF-8 become U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace nibble {

class Utf8Stream {
 public:
  // Takes more bytes and gives what is whole now; valid until the next call.
  std::string_view push(std::string_view bytes);
  // The end: what is still held back, as U+FFFD. Valid until the next call.
  std::string_view finish();

 private:
  std::string held_;
  std::string text_;
};

}  // namespace nibble
