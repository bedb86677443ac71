#include "cli/edit_buffer.h"

#include <wchar.h>

#include <algorithm>
#include <utility>

#include "core/text/utf8.h"

namespace nibble::cli {
namespace {

constexpr int kTabColumns = 4;

struct CodePoint {
  char32_t value = 0;
  size_t n_bytes = 0;
};

// The text is valid UTF-8: insert() and set() see to it.
CodePoint code_point(std::string_view text) {
  const int n = text::utf8_length(static_cast<unsigned char>(text[0]));
  return {text::decode_utf8(text.data()), static_cast<size_t>(n)};
}

bool is_modifier(char32_t c) {  // emoji skin tones, selectors, tags, and whatever takes no column
  return (c >= 0x1F3FB && c <= 0x1F3FF) || (c >= 0x80 && wcwidth(static_cast<wchar_t>(c)) == 0);
}
bool is_regional(char32_t c) { return c >= 0x1F1E6 && c <= 0x1F1FF; }
constexpr char32_t kJoiner = 0x200D, kEmojiSelector = 0xFE0F;

bool is_word(char c) { return static_cast<unsigned char>(c) > ' '; }

}  // namespace

size_t next_character(std::string_view text, size_t at) {
  if (at >= text.size()) return text.size();
  const CodePoint first = code_point(text.substr(at));
  size_t end = at + first.n_bytes;
  for (char32_t last = first.value; end < text.size();) {
    const CodePoint next = code_point(text.substr(end));
    const bool flag =
        is_regional(first.value) && is_regional(next.value) && end == at + first.n_bytes;
    if (!is_modifier(next.value) && last != kJoiner && !flag) break;
    if (first.value < 0x20) break;
    end += next.n_bytes;
    last = next.value;
  }
  return end;
}

size_t previous_character(std::string_view text, size_t at) {
  size_t begin = text.substr(0, at).rfind('\n');
  begin = begin == std::string_view::npos ? 0 : begin;
  if (at > 0 && begin + 1 == at) return begin;
  while (next_character(text, begin) < at) begin = next_character(text, begin);
  return begin;
}

int character_columns(std::string_view character) {
  if (character == "\t") return kTabColumns;
  const CodePoint first = code_point(character);
  const int columns = std::max(0, wcwidth(static_cast<wchar_t>(first.value)));
  for (size_t at = first.n_bytes; at < character.size();
       at += code_point(character.substr(at)).n_bytes)
    if (const char32_t c = code_point(character.substr(at)).value;
        c == kEmojiSelector || is_regional(c))
      return 2;
  return columns;
}

int text_columns(std::string_view text) {
  int columns = 0;
  for (size_t at = 0, end; at < text.size(); at = end) {
    end = next_character(text, at);
    columns += character_columns(text.substr(at, end - at));
  }
  return columns;
}

void EditBuffer::set(std::string text) {
  text_ = std::move(text);
  cursor_ = text_.size();
}

void EditBuffer::insert(std::string_view typed) {
  std::string clean;
  text::append_lossy(clean, typed);
  std::erase_if(clean, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
  });
  text_.insert(cursor_, clean);
  cursor_ += clean.size();
}

void EditBuffer::left() { cursor_ = previous_character(text_, cursor_); }
void EditBuffer::right() { cursor_ = next_character(text_, cursor_); }
void EditBuffer::word_left() {
  while (cursor_ > 0 && !is_word(text_[cursor_ - 1])) left();
  while (cursor_ > 0 && is_word(text_[cursor_ - 1])) left();
}
void EditBuffer::word_right() {
  while (cursor_ < text_.size() && !is_word(text_[cursor_])) right();
  while (cursor_ < text_.size() && is_word(text_[cursor_])) right();
}
void EditBuffer::line_start() { cursor_ = line_begin(cursor_); }
void EditBuffer::line_end() { cursor_ = std::min(text_.find('\n', cursor_), text_.size()); }

size_t EditBuffer::line_begin(size_t at) const {
  const size_t newline = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
  return newline == std::string::npos ? 0 : newline + 1;
}

void EditBuffer::move_to_column(size_t begin, size_t column) {
  for (cursor_ = begin; column > 0 && cursor_ < text_.size() && text_[cursor_] != '\n'; --column)
    right();
}

bool EditBuffer::line_up() {
  const size_t begin = line_begin(cursor_);
  if (begin == 0) return false;
  size_t column = 0;
  for (size_t at = begin; at < cursor_; at = next_character(text_, at)) ++column;
  move_to_column(line_begin(begin - 1), column);
  return true;
}

bool EditBuffer::line_down() {
  const size_t newline = text_.find('\n', cursor_);
  if (newline == std::string::npos) return false;
  size_t column = 0;
  for (size_t at = line_begin(cursor_); at < cursor_; at = next_character(text_, at)) ++column;
  move_to_column(newline + 1, column);
  return true;
}

void EditBuffer::erase(size_t from, size_t to) {
  text_.erase(from, to - from);
  cursor_ = from;
}
void EditBuffer::backspace() { erase(previous_character(text_, cursor_), cursor_); }
void EditBuffer::erase_next() { erase(cursor_, next_character(text_, cursor_)); }
void EditBuffer::erase_word() {
  const size_t to = cursor_;
  word_left();
  erased_ = text_.substr(cursor_, to - cursor_);
  erase(cursor_, to);
}
void EditBuffer::erase_to_start() {
  const size_t from = line_begin(cursor_);
  erased_ = text_.substr(from, cursor_ - from);
  erase(from, cursor_);
}
void EditBuffer::erase_to_end() {
  const size_t from = cursor_;
  line_end();
  erased_ = text_.substr(from, cursor_ - from);
  erase(from, cursor_);
}
void EditBuffer::recall() { insert(erased_); }

ScreenRows lay_out(std::string_view text, size_t cursor, int indent, int n_columns) {
  ScreenRows out{.rows = {""}};
  int column = indent;
  const auto new_row = [&] {
    out.rows.emplace_back();
    column = indent;
  };
  for (size_t at = 0; at <= text.size();) {
    const size_t end = next_character(text, at);
    const std::string_view character = text.substr(at, end - at);
    const int columns = character.empty() || character == "\n" ? 0 : character_columns(character);
    if (column + columns > n_columns && column > indent) new_row();
    if (at == cursor) {
      out.cursor_row = out.rows.size() - 1;
      out.cursor_column = column;
    }
    if (at == text.size()) break;
    if (character == "\n") {
      new_row();
    } else {
      out.rows.back() += character == "\t" ? std::string(kTabColumns, ' ') : std::string(character);
      column += columns;
    }
    at = end;
  }
  return out;
}

}  // namespace nibble::cli
