// Takes an answer apart while it grows: what a model thinks, between <think> and </think> at the
// answer's beginning, and what it says. Tags that come in pieces are held back until they are
// whole.
#pragma once

#include <string>
#include <string_view>

namespace nibble {

class ThinkStream {
 public:
  struct Parts {
    std::string reasoning, content;
  };
  // open: the prompt has opened the thought already (its template ends with <think>).
  explicit ThinkStream(bool open = false) : state_(open ? State::kThought : State::kBegin) {}

  // Takes the next piece of text and returns what of it is certain: without the tags, and without
  // the white space around them.
  Parts add(std::string_view text);
  Parts finish();  // what is still held back

 private:
  enum class State { kBegin, kThought, kContent };
  bool step(Parts& out, bool last);
  void emit(size_t n, std::string& out);

  State state_;
  std::string held_;
  bool begun_ = false;  // something of this part has been shown
};

// Whether a prompt ends inside of a thought.
bool opens_thought(std::string_view prompt);
// A whole answer.
ThinkStream::Parts split_thought(std::string_view answer, bool open);

}  // namespace nibble
