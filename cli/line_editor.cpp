#include "cli/line_editor.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "cli/output.h"

namespace nibble::cli {
namespace {

size_t terminal_rows() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

}  // namespace

LineEditor::Line LineEditor::read(const std::string& prompt, TerminalMode& mode) {
  mode.editing();
  buffer_.set({});
  draft_.clear();
  history_at_ = history_.size();
  drawn_cursor_row_ = drawn_rows_ = 0;
  std::optional<Line> line;
  while (!line) {
    draw(prompt);
    line = handle(keys_.next(), mode);
  }
  leave_drawing();
  mode.answering();
  if (line->end == End::kMessage && !line->text.empty() &&
      (history_.empty() || history_.back() != line->text))
    history_.push_back(line->text);
  return *line;
}

std::optional<LineEditor::Line> LineEditor::handle(const KeyPress& press, TerminalMode& mode) {
  switch (press.key) {
    case Key::kText:
      buffer_.insert(press.text);
      break;
    case Key::kNewline:
      buffer_.insert("\n");
      break;
    case Key::kEnter:
      return Line{End::kMessage, buffer_.text()};
    case Key::kClosed:
      return Line{End::kEndOfInput, {}};
    case Key::kEndOfInput:
      if (buffer_.empty()) return Line{End::kEndOfInput, {}};
      buffer_.erase_next();
      break;
    case Key::kCancel:
      if (buffer_.empty()) return Line{End::kCancelled, {}};
      buffer_.set({});
      break;
    case Key::kUp:
      if (!buffer_.line_up()) recall_older();
      break;
    case Key::kDown:
      if (!buffer_.line_down()) recall_newer();
      break;
    case Key::kSearch:
      search();
      break;
    case Key::kSuspend:
      leave_drawing();
      mode.suspend();
      drawn_cursor_row_ = drawn_rows_ = 0;
      break;
    default:
      edit(press.key);
  }
  return std::nullopt;
}

bool LineEditor::edit(Key key) {
  switch (key) {
    case Key::kBackspace:
      buffer_.backspace();
      break;
    case Key::kDelete:
      buffer_.erase_next();
      break;
    case Key::kLeft:
      buffer_.left();
      break;
    case Key::kRight:
      buffer_.right();
      break;
    case Key::kHome:
      buffer_.line_start();
      break;
    case Key::kEnd:
      buffer_.line_end();
      break;
    case Key::kWordLeft:
      buffer_.word_left();
      break;
    case Key::kWordRight:
      buffer_.word_right();
      break;
    case Key::kEraseWord:
      buffer_.erase_word();
      break;
    case Key::kEraseToStart:
      buffer_.erase_to_start();
      break;
    case Key::kEraseToEnd:
      buffer_.erase_to_end();
      break;
    case Key::kRecall:
      buffer_.recall();
      break;
    default:
      return false;
  }
  return true;
}

void LineEditor::recall_older() {
  if (history_at_ == 0) return;
  if (history_at_ == history_.size()) draft_ = buffer_.text();
  buffer_.set(history_[--history_at_]);
}

void LineEditor::recall_newer() {
  if (history_at_ == history_.size()) return;
  ++history_at_;
  buffer_.set(history_at_ == history_.size() ? draft_ : history_[history_at_]);
}

// Ctrl-R: what is typed is looked for in older messages; Ctrl-R again goes on, any other key takes
// the one shown.
void LineEditor::search() {
  std::string wanted, found = buffer_.text();
  size_t from = history_.size();
  const auto look = [&](size_t below) {
    for (size_t i = below; i-- > 0;)
      if (history_[i].find(wanted) != std::string::npos) {
        from = i;
        found = history_[i];
        return;
      }
  };
  while (true) {
    buffer_.set(found);
    draw("(search '" + wanted + "') ");
    const KeyPress press = keys_.next();
    if (press.key == Key::kSearch) {
      look(from);
    } else if (press.key == Key::kText) {
      wanted += press.text;
      look(history_.size());
    } else if (press.key == Key::kBackspace) {
      wanted.erase(previous_character(wanted, wanted.size()));
      look(history_.size());
    } else {
      if (press.key == Key::kCancel) buffer_.set({});
      return;
    }
  }
}

// All rows anew, as many as the screen holds around the cursor.
void LineEditor::draw(const std::string& prompt) {
  const int indent = static_cast<int>(prompt.size());
  const ScreenRows screen =
      lay_out(buffer_.text(), buffer_.cursor(), indent, terminal_columns(STDERR_FILENO) - 1);
  const size_t most = terminal_rows() - 1;
  const size_t first = screen.cursor_row >= most ? screen.cursor_row - most + 1 : 0;
  const size_t last = std::min(screen.rows.size(), first + most);
  std::string out = "\r";
  if (drawn_cursor_row_ > 0) out += fmt::format("\x1b[{}A", drawn_cursor_row_);
  out += "\x1b[J";
  for (size_t i = first; i < last; ++i)
    out += (i > first ? "\r\n" : "") + (i == 0 ? prompt : std::string(prompt.size(), ' ')) +
           screen.rows[i];
  if (const size_t below = last - 1 - screen.cursor_row; below > 0)
    out += fmt::format("\x1b[{}A", below);
  out += fmt::format("\r\x1b[{}C", std::max(1, screen.cursor_column));
  write_err(out);
  drawn_cursor_row_ = screen.cursor_row - first;
  drawn_rows_ = last - first;
}

void LineEditor::leave_drawing() {
  const size_t below = drawn_rows_ > 0 ? drawn_rows_ - 1 - drawn_cursor_row_ : 0;
  write_err((below > 0 ? fmt::format("\x1b[{}B", below) : "") + "\r\n");
}

}  // namespace nibble::cli
