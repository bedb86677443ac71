#include "cli/keys.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "cli/signals.h"

namespace nibble::cli {
namespace {

constexpr int kNothing = -1, kClosed = -2, kSignal = -3;
constexpr int kEscapeWait_ms = 50;  // after ESC: what does not follow by then was the key itself
constexpr size_t kMostPaste = size_t{16} << 20;

constexpr std::pair<int, Key> kControls[] = {
    {0x01, Key::kHome},       {0x02, Key::kLeft},    {0x03, Key::kCancel},
    {0x04, Key::kEndOfInput}, {0x05, Key::kEnd},     {0x06, Key::kRight},
    {0x08, Key::kBackspace},  {0x0a, Key::kNewline}, {0x0b, Key::kEraseToEnd},
    {0x0c, Key::kRedraw},     {0x0d, Key::kEnter},   {0x0e, Key::kDown},
    {0x10, Key::kUp},         {0x12, Key::kSearch},  {0x15, Key::kEraseToStart},
    {0x17, Key::kEraseWord},  {0x19, Key::kRecall},  {0x1a, Key::kSuspend},
    {0x7f, Key::kBackspace},
};

// Behind ESC [ or ESC O, as xterm and its kin send them.
constexpr std::pair<std::string_view, Key> kSequences[] = {
    {"A", Key::kUp},
    {"B", Key::kDown},
    {"C", Key::kRight},
    {"D", Key::kLeft},
    {"H", Key::kHome},
    {"F", Key::kEnd},
    {"1~", Key::kHome},
    {"7~", Key::kHome},
    {"4~", Key::kEnd},
    {"8~", Key::kEnd},
    {"3~", Key::kDelete},
    {"1;5C", Key::kWordRight},
    {"1;3C", Key::kWordRight},
    {"1;5D", Key::kWordLeft},
    {"1;3D", Key::kWordLeft},
    {"13;2u", Key::kNewline},
    {"13;3u", Key::kNewline},
    {"27;2;13~", Key::kNewline},
    {"27;3;13~", Key::kNewline},
};

}  // namespace

int KeyReader::byte(int wait_ms) {
  if (at_ < buffer_.size()) return static_cast<unsigned char>(buffer_[at_++]);
  pollfd input{STDIN_FILENO, POLLIN, 0};
  const int ready = poll(&input, 1, wait_ms);
  if (ready == 0) return kNothing;
  if (ready < 0) return errno == EINTR ? kSignal : kClosed;
  buffer_.resize(4096);
  const ssize_t n = read(STDIN_FILENO, buffer_.data(), buffer_.size());
  buffer_.resize(n > 0 ? static_cast<size_t>(n) : 0);
  at_ = 0;
  if (n < 0 && errno == EINTR) return kSignal;
  return n <= 0 ? kClosed : byte(0);
}

KeyPress KeyReader::next() {
  const int first = byte(-1);
  if (first == kSignal) return {window_resized() ? Key::kRedraw : Key::kNone, {}};
  if (first < 0) return {Key::kClosed, {}};
  if (first == 0x1b) return escape();
  if (first == '\t') return {Key::kText, "\t"};
  for (const auto& [code, key] : kControls)
    if (code == first) return {key, {}};
  return first < 0x20 ? KeyPress{} : character(first);
}

KeyPress KeyReader::escape() {
  const int second = byte(kEscapeWait_ms);
  switch (second) {
    case '[':
    case 'O':
      return control_sequence();
    case '\r':
    case '\n':
      return {Key::kNewline, {}};
    case 'b':
      return {Key::kWordLeft, {}};
    case 'f':
      return {Key::kWordRight, {}};
    case 0x7f:
      return {Key::kEraseWord, {}};
    default:
      return {second < 0 ? Key::kEscape : Key::kNone, {}};
  }
}

KeyPress KeyReader::control_sequence() {
  std::string sequence;
  for (int c = byte(kEscapeWait_ms); c >= 0 && sequence.size() < 32; c = byte(kEscapeWait_ms)) {
    sequence += static_cast<char>(c);
    if (c >= 0x40) break;  // the final byte
  }
  if (sequence == "200~") return paste();
  for (const auto& [text, key] : kSequences)
    if (text == sequence) return {key, {}};
  return {};
}

KeyPress KeyReader::paste() {
  constexpr std::string_view kEnd = "\x1b[201~";
  std::string text;
  while (!text.ends_with(kEnd) && text.size() < kMostPaste) {
    const int c = byte(-1);
    if (c == kClosed) return {Key::kClosed, {}};
    if (c < 0) continue;
    text += static_cast<char>(c);
  }
  if (text.ends_with(kEnd)) text.resize(text.size() - kEnd.size());
  std::string lines;  // terminals send line ends as CR, some as CR LF
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && i > 0 && text[i - 1] == '\r') continue;
    lines += text[i] == '\r' ? '\n' : text[i];
  }
  return {Key::kText, lines};
}

KeyPress KeyReader::character(int first) {
  std::string text(1, static_cast<char>(first));
  const int more = first < 0xC0 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
  for (int i = 0; i < more; ++i) {
    const int c = byte(kEscapeWait_ms);
    if (c < 0) break;
    text += static_cast<char>(c);
  }
  return {Key::kText, text};
}

}  // namespace nibble::cli
