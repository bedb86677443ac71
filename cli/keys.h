// Keys as a terminal sends them: control characters, escape sequences, bracketed paste, UTF-8.
#pragma once

#include <string>

namespace nibble::cli {

enum class Key {
  kText,  // typed or pasted
  kEnter,
  kNewline,
  kBackspace,
  kDelete,
  kLeft,
  kRight,
  kUp,
  kDown,
  kHome,
  kEnd,
  kWordLeft,
  kWordRight,
  kEraseWord,
  kEraseToStart,
  kEraseToEnd,
  kRecall,
  kSearch,
  kRedraw,
  kCancel,
  kSuspend,
  kEndOfInput,
  kEscape,
  kClosed,  // the terminal is gone
  kNone,    // not a key of ours
};

struct KeyPress {
  Key key = Key::kNone;
  std::string text;  // of kText
};

class KeyReader {
 public:
  // Waits for the next key. kRedraw also comes when the window changes its size.
  KeyPress next();

 private:
  int byte(int wait_ms);  // -1: none came in time; -2: closed; -3: a signal. wait_ms < 0: as long
                          // as it takes
  KeyPress escape();
  KeyPress control_sequence();
  KeyPress paste();
  KeyPress character(int first);

  std::string buffer_;
  size_t at_ = 0;
};

}  // namespace nibble::cli
