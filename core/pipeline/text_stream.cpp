#include "core/pipeline/text_stream.h"

#include <algorithm>
#include <utility>

namespace nibble {

TextStream::TextStream(std::vector<std::string> stops) : stops_(std::move(stops)) {}

std::string TextStream::add(std::string_view bytes) {
  if (stopped_) return {};
  held_ += characters_.push(bytes);
  return release();
}

std::string TextStream::release() {
  size_t found = std::string::npos;
  for (const std::string& stop : stops_) found = std::min(found, held_.find(stop));
  if (found != std::string::npos) {
    stopped_ = true;
    return std::exchange(held_, {}).substr(0, found);
  }
  size_t n_held = 0;  // the longest end of held_ that begins a stop string
  for (const std::string& stop : stops_)
    for (size_t n = std::min(stop.size() - 1, held_.size()); n > n_held; --n)
      if (held_.ends_with(std::string_view(stop).substr(0, n))) n_held = n;
  std::string out = held_.substr(0, held_.size() - n_held);
  held_.erase(0, out.size());
  return out;
}

std::string TextStream::finish() {
  if (stopped_) return {};
  held_ += characters_.finish();
  return std::exchange(held_, {});
}

}  // namespace nibble
