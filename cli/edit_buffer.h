// The text under edit and the cursor in it, which moves by what a reader sees as one character.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nibble::cli {

class EditBuffer {
 public:
  const std::string& text() const { return text_; }
  size_t cursor() const { return cursor_; }  // in bytes
  bool empty() const { return text_.empty(); }
  void set(std::string text);  // cursor at its end
  void insert(
      std::string_view text);  // invalid UTF-8 becomes U+FFFD, control characters but \n and \t go

  void left();
  void right();
  void word_left();
  void word_right();
  void line_start();
  void line_end();
  bool line_up();    // false: it is the first line
  bool line_down();  // false: it is the last line
  void backspace();
  void erase_next();
  void erase_word();
  void erase_to_start();  // of the line
  void erase_to_end();
  void recall();  // puts back what was erased last

 private:
  void erase(size_t from, size_t to);
  size_t line_begin(size_t at) const;
  void move_to_column(size_t line_begin, size_t column);

  std::string text_;
  size_t cursor_ = 0;
  std::string erased_;
};

// The byte behind, or at the front of, the character that begins at, or ends at, a byte: a code
// point with the marks, joiners and selectors that belong to it.
size_t next_character(std::string_view text, size_t at);
size_t previous_character(std::string_view text, size_t at);
// Columns of one such character on a terminal.
int character_columns(std::string_view character);
int text_columns(std::string_view text);  // of one line

// Text as rows of a screen that is n_columns wide, indented by `indent` columns, and the cursor's
// place.
struct ScreenRows {
  std::vector<std::string> rows;
  size_t cursor_row = 0;
  int cursor_column = 0;
};
ScreenRows lay_out(std::string_view text, size_t cursor, int indent, int n_columns);

}  // namespace nibble::cli
