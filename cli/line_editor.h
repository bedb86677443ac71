// Reads messages from a terminal: several lines, history, search, pasted text as one message. Draws
// on standard error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/edit_buffer.h"
#include "cli/keys.h"
#include "cli/terminal.h"

namespace nibble::cli {

class LineEditor {
 public:
  enum class End { kMessage, kCancelled, kEndOfInput };
  struct Line {
    End end = End::kMessage;
    std::string text;
  };

  // Shows the prompt and returns what was entered. kCancelled: Ctrl-C on an empty line; on another
  // it empties it. kEndOfInput: Ctrl-D on an empty line, or the terminal is gone.
  Line read(const std::string& prompt, TerminalMode& mode);

 private:
  std::optional<Line> finish(Key key);
  void handle(const KeyPress& press, TerminalMode& mode);
  bool edit(Key key);
  void recall_older();
  void recall_newer();
  std::optional<size_t> find_older(const std::string& wanted, size_t below) const;
  void search();
  void draw(const std::string& prompt);
  void leave_drawing();

  KeyReader keys_;
  EditBuffer buffer_;
  std::vector<std::string> history_;
  size_t history_at_ = 0;  // history_.size(): the draft
  std::string draft_;
  size_t drawn_cursor_row_ = 0, drawn_rows_ = 0;
};

}  // namespace nibble::cli
