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
    const KeyPress press = keys_.next();
    line = finish(press.key);
    if (!line) handle(press, mode);
  }
  leave_drawing();
  mode.answering();
  if (line->end == End::kMessage && !line->text.empty() &&
      (history_.empty() || history_.back() != line->text))
    history_.push_back(line->text);
  return *line;
}

// The line that a key ends, if it does.
std::optional<LineEditor::Line> LineEditor::finish(Key key) {
  if (key == Key::kEnter) return Line{End::kMessage, buffer_.text()};
  if (key == Key::kClosed) return Line{End::kEndOfInput, {}};
  if (!buffer_.empty()) return std::nullopt;
  if (key == Key::kEndOfInput) return Line{End::kEndOfInput, {}};
  if (key == Key::kCancel) return Line{End::kCancelled, {}};
  return std::nullopt;
}

void LineEditor::handle(const KeyPress& press, TerminalMode& mode) {
  switch (press.key) {
    case Key::kText:
      buffer_.insert(press.text);
      break;
    case Key::kNewline:
      buffer_.insert("\n");
      break;
    case Key::kEndOfInput:
      buffer_.erase_next();
      break;
    case Key::kCancel:
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
}

bool LineEditor::edit(Key key) {
  constexpr std::pair<Key, void (EditBuffer::*)()> kEdits[] = {
      {Key::kBackspace, &EditBuffer::backspace},
      {Key::kDelete, &EditBuffer::erase_next},
      {Key::kLeft, &EditBuffer::left},
      {Key::kRight, &EditBuffer::right},
      {Key::kHome, &EditBuffer::line_start},
      {Key::kEnd, &EditBuffer::line_end},
      {Key::kWordLeft, &EditBuffer::word_left},
      {Key::kWordRight, &EditBuffer::word_right},
      {Key::kEraseWord, &EditBuffer::erase_word},
      {Key::kEraseToStart, &EditBuffer::erase_to_start},
      {Key::kEraseToEnd, &EditBuffer::erase_to_end},
      {Key::kRecall, &EditBuffer::recall},
  };
  for (const auto& [edited, act] : kEdits)
    if (edited == key) {
      (buffer_.*act)();
      return true;
    }
  return false;
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

// The youngest message below an index that holds a text; nullopt: none.
std::optional<size_t> LineEditor::find_older(const std::string& wanted, size_t below) const {
  for (size_t i = below; i-- > 0;)
    if (history_[i].find(wanted) != std::string::npos) return i;
  return std::nullopt;
}

// Ctrl-R: what is typed is looked for in older messages; Ctrl-R again goes on, any other key takes
// the one shown.
void LineEditor::search() {
  EditBuffer wanted;
  size_t from = history_.size();
  while (true) {
    draw("(search '" + one_line(wanted.text()) + "') ");
    const KeyPress press = keys_.next();
    if (press.key == Key::kText)
      wanted.insert(press.text);
    else if (press.key == Key::kBackspace)
      wanted.backspace();
    else if (press.key != Key::kSearch)
      break;
    const auto found =
        find_older(wanted.text(), press.key == Key::kSearch ? from : history_.size());
    if (!found) continue;
    from = *found;
    buffer_.set(history_[from]);
  }
}

// All rows anew, as many as the screen holds around the cursor.
void LineEditor::draw(const std::string& prompt) {
  const int indent = text_columns(prompt);
  const ScreenRows screen =
      lay_out(buffer_.text(), buffer_.cursor(), indent, terminal_columns(STDERR_FILENO) - 1);
  const size_t most = terminal_rows() - 1;
  const size_t first = screen.cursor_row >= most ? screen.cursor_row - most + 1 : 0;
  const size_t last = std::min(screen.rows.size(), first + most);
  std::string out = "\r";
  if (drawn_cursor_row_ > 0) out += fmt::format("\x1b[{}A", drawn_cursor_row_);
  out += "\x1b[J";
  for (size_t i = first; i < last; ++i)
    out += (i > first ? "\r\n" : "") +
           (i == 0 ? prompt : std::string(static_cast<size_t>(indent), ' ')) + screen.rows[i];
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
