#include "core/text/utf8_stream.h"

#include "core/text/utf8.h"

namespace nibble {
using namespace text;

std::string_view Utf8Stream::push(std::string_view bytes) {
  held_ += bytes;
  text_.clear();
  std::string_view rest = held_;
  while (!rest.empty()) {
    const size_t valid = valid_utf8_prefix(rest);
    text_ += rest.substr(0, valid);
    rest.remove_prefix(valid);
    if (rest.empty()) break;
    const Utf8Head fault = utf8_head(rest);
    if (fault.incomplete) break;
    text_ += kReplacement;
    rest.remove_prefix(fault.n_bytes);
  }
  held_.erase(0, held_.size() - rest.size());
  return text_;
}

std::string_view Utf8Stream::finish() {
  text_.clear();
  append_lossy(text_, held_);
  held_.clear();
  return text_;
}

}  // namespace nibble
