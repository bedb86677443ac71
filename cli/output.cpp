#include "cli/output.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/printable.h"

namespace nibble::cli {
namespace {

bool g_closed = false;
bool g_quiet = false;
constexpr double kFirstProgress_s = 0.5;
constexpr double kNextProgress_s = 0.1;

// 0, or the errno that stopped it.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

const double g_start_s = now_s();

}  // namespace

bool is_terminal(int fd) { return isatty(fd) == 1; }

int terminal_columns(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

Result<void> write_out(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0) return {};
  g_closed = error == EPIPE;
  return fail(ErrorKind::kOutput, "standard output: {}", strerror(error));
}
bool output_closed() { return g_closed; }

void set_quiet(bool quiet) { g_quiet = quiet; }
bool quiet() { return g_quiet; }
void write_err(std::string_view text) { write_all(STDERR_FILENO, text); }
void notice_line(std::string_view text) {
  if (!g_quiet) write_err(fmt::format("nibble: {}\n", one_line(text)));
}

double process_start_s() { return g_start_s; }

ProgressLine::ProgressLine()
    : enabled_(!g_quiet && is_terminal(STDERR_FILENO)), start_s_(now_s()) {}
ProgressLine::~ProgressLine() { wipe(); }

void ProgressLine::show(std::string_view what, double done, double total, std::string_view unit) {
  if (!enabled_) return;
  const double now = now_s(), passed = now - start_s_;
  if (passed < kFirstProgress_s || now - last_s_ < kNextProgress_s || done <= 0) return;
  last_s_ = now;
  shown_ = true;
  const double speed = done / passed;
  write_err(fmt::format("\r\x1b[K{} {:.0f}/{:.0f} {}, {:.0f}/s, {:.0f} s left", what, done, total,
                        unit, speed, (total - done) / speed));
}

void ProgressLine::wipe() {
  if (shown_) write_err("\r\x1b[K");
  shown_ = false;
}

std::string one_line(std::string_view text) {
  constexpr size_t kWhole = std::string_view::npos;
  std::string out;
  for (size_t at; (at = text.find_first_of("\n\t")) != kWhole; text.remove_prefix(at + 1)) {
    out += printable(text.substr(0, at), kWhole);
    out += text[at] == '\n' ? "\\n" : "\\t";
  }
  return out + printable(text, kWhole);
}

}  // namespace nibble::cli
