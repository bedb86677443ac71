// Where words go: results to standard output, everything else to standard error.
#pragma once

#include <fmt/core.h>

#include <string_view>

#include "core/base/clock.h"
#include "core/base/error.h"

namespace nibble::cli {

bool is_terminal(int fd);
int terminal_columns(int fd);  // 80 where that cannot be known

// Standard output, unbuffered, so that a token is seen when it is made. Fails with kOutput; when
// nobody reads any more (a closed pipe) output_closed() is true as well, and the program ends
// quietly.
Result<void> write_out(std::string_view text);
bool output_closed();

// One line on standard error: "nibble: ...". Not when quiet.
void set_quiet(bool quiet);
bool quiet();
void notice_line(std::string_view text);
template <class... Args>
void notice(fmt::format_string<Args...> format, Args&&... args) {
  notice_line(fmt::format(format, std::forward<Args>(args)...));
}
void write_err(std::string_view text);  // as it stands, even when quiet

// A line that is rewritten in place on standard error, at most ten times a second; nothing where
// that is no terminal or when quiet.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();  // wipes the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  // what: "prompt"; unit: "tokens". Shows done, total, speed and the time left, once half a second
  // has passed.
  void show(std::string_view what, double done, double total, std::string_view unit);
  void wipe();

 private:
  bool enabled_;
  bool shown_ = false;
  double start_s_;
  double last_s_ = 0;
};

double process_start_s();  // on the clock of now_s(): when main began

// A text without what printable() leaves out (as \n, \t or \x1b), so that no file drives the
// terminal.
std::string one_line(std::string_view text);

}  // namespace nibble::cli
