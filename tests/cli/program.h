// Runs the built program as a shell would, with pipes or on a terminal of its own, and tells what
// came of it.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nibble::tests {

struct Ended {
  int exit_code = -1;  // -1: by a signal
  int signal = 0;
  std::string out, err;
};

using Arguments = std::vector<std::string>;
using Environment = std::vector<std::pair<std::string, std::string>>;

// Standard input is `input`, then its end. More than a minute is a failure.
Ended run_program(const Arguments& arguments, std::string_view input = {},
                  const Environment& environment = {});
// Through /bin/sh, with the program as $nibble.
Ended run_shell(const std::string& command, const Environment& environment = {});

// The program on a terminal (80 x 24): standard input, output and error are all the same one.
class OnTerminal {
 public:
  explicit OnTerminal(const Arguments& arguments, const Environment& environment = {});
  ~OnTerminal();
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  void type(std::string_view keys);
  // Waits until text has been written behind what was waited for before. False when it does not
  // come in ten seconds.
  bool wait_for(std::string_view text);
  void signal(int number);
  int wait_for_end();  // exit code; -1: by a signal
  const std::string& written() const { return written_; }

 private:
  bool read_more(int wait_ms);

  pid_t child_ = -1;
  int fd_ = -1;
  std::string written_;
  size_t seen_ = 0;
};

}  // namespace nibble::tests
