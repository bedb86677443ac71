// From the bytes of generated tokens to text that may be shown: whole UTF-8 characters only, and
// nothing that may yet turn out to be the beginning of a stop string.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/text/utf8_stream.h"

namespace nibble {

class TextStream {
 public:
  explicit TextStream(std::vector<std::string> stops = {});  // no empty ones

  // Takes one token's bytes and returns what is now certain. Bytes that are no UTF-8 become U+FFFD.
  std::string add(std::string_view bytes);
  // A stop string has come: it and what follows are never returned.
  bool stopped() const { return stopped_; }
  // What is still held back, at the end of the text. A cut character becomes U+FFFD.
  std::string finish();

 private:
  std::string release();

  std::vector<std::string> stops_;
  Utf8Stream characters_;
  std::string held_;  // perhaps the beginning of a stop string
  bool stopped_ = false;
};

}  // namespace nibble
