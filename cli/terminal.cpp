#include "cli/terminal.h"

#include <locale.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/signals.h"

namespace nibble::cli {
namespace {

// xterm's bracketed paste: pasted text comes between ESC [ 200 ~ and ESC [ 201 ~.
constexpr char kPasteOn[] = "\x1b[?2004h", kPasteOff[] = "\x1b[?2004l";

termios g_before;

void put_back() {
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, kPasteOff, sizeof kPasteOff - 1);
  tcsetattr(STDIN_FILENO, TCSANOW, &g_before);
}

void set_mode(bool signals) {
  termios mode = g_before;
  mode.c_iflag &= ~static_cast<tcflag_t>(ICRNL | INLCR | IXON);
  mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  if (!signals) mode.c_lflag &= ~static_cast<tcflag_t>(ISIG);
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
}

}  // namespace

TerminalMode::TerminalMode() {
  setlocale(LC_CTYPE, "C.UTF-8");  // for wcwidth()
  tcgetattr(STDIN_FILENO, &g_before);
  on_sudden_end(put_back);
}

TerminalMode::~TerminalMode() {
  put_back();
  on_sudden_end(nullptr);
}

void TerminalMode::editing() {
  set_mode(false);
  write_err(kPasteOn);
}

void TerminalMode::answering() {
  write_err(kPasteOff);
  set_mode(true);
}

void TerminalMode::leave() { put_back(); }

void TerminalMode::suspend() {
  put_back();
  raise(SIGTSTP);
  editing();
}

}  // namespace nibble::cli
