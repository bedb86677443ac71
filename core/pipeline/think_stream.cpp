#include "core/pipeline/think_stream.h"

#include <algorithm>

namespace nibble {
namespace {

constexpr std::string_view kOpen = "<think>", kClose = "</think>", kSpace = " \t\r\n";

size_t n_space(std::string_view text) {
  return std::min(text.find_first_not_of(kSpace), text.size());
}

// Bytes at the end of text that may yet become tag.
size_t n_of_tag(std::string_view text, std::string_view tag) {
  for (size_t n = std::min(tag.size() - 1, text.size()); n > 0; --n)
    if (text.ends_with(tag.substr(0, n))) return n;
  return 0;
}

}  // namespace

// The first n held bytes, without the white space that this part begins with.
void ThinkStream::emit(size_t n, std::string& out) {
  std::string_view text = std::string_view(held_).substr(0, n);
  if (!begun_) text.remove_prefix(n_space(text));
  begun_ |= !text.empty();
  out += text;
  held_.erase(0, n);
}

// One step from what is held; false: more text is needed. last: there is no more.
bool ThinkStream::step(Parts& out, bool last) {
  const std::string_view held = held_;
  switch (state_) {
    case State::kBegin: {
      const std::string_view rest = held.substr(n_space(held));
      if (rest.starts_with(kOpen)) {
        held_.erase(0, held.size() - rest.size() + kOpen.size());
        state_ = State::kThought;
        return true;
      }
      if (!last && kOpen.starts_with(rest)) return false;
      begun_ = true;  // an answer without a thought keeps its white space
      state_ = State::kContent;
      return true;
    }
    case State::kThought: {
      if (const size_t at = held.find(kClose); at != std::string_view::npos) {
        const size_t end = held.substr(0, at).find_last_not_of(kSpace) + 1;
        emit(end, out.reasoning);
        held_.erase(0, held_.find(kClose) + kClose.size());
        begun_ = false;
        state_ = State::kContent;
        return true;
      }
      size_t n = last ? held.size() : held.size() - n_of_tag(held, kClose);
      n = held.substr(0, n).find_last_not_of(kSpace) + 1;  // perhaps before the tag
      emit(n, out.reasoning);
      return false;
    }
    case State::kContent:
      emit(held.size(), out.content);
      return false;
  }
  return false;
}

ThinkStream::Parts ThinkStream::add(std::string_view text) {
  held_ += text;
  Parts out;
  while (step(out, false)) {
  }
  return out;
}

ThinkStream::Parts ThinkStream::finish() {
  Parts out;
  while (step(out, true)) {
  }
  return out;
}

bool opens_thought(std::string_view prompt) {
  const size_t end = prompt.find_last_not_of(kSpace);
  return end != std::string_view::npos && prompt.substr(0, end + 1).ends_with(kOpen);
}

ThinkStream::Parts split_thought(std::string_view answer, bool open) {
  ThinkStream stream(open);
  ThinkStream::Parts parts = stream.add(answer), rest = stream.finish();
  return {parts.reasoning + rest.reasoning, parts.content + rest.content};
}

}  // namespace nibble
