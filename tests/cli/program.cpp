#include "tests/cli/program.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace nibble::tests {
namespace {

constexpr int kLongest_ms = 60'000;
constexpr int kAnswer_ms = 10'000;

[[noreturn]] void become(const Arguments& arguments, const Environment& environment) {
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

void set_end(int status, Ended& end) {
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
}

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() { REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~Pipe() {
    close(0);
    close(1);
  }
  void close(size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

// False at the end of the stream.
bool drain(int fd, std::string& text) {
  char buffer[1 << 16];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n > 0) text.append(buffer, static_cast<size_t>(n));
  return n > 0;
}

void feed(Pipe& pipe, std::string_view& input) {
  const ssize_t n = input.empty()
                        ? -1
                        : ::write(pipe.ends[1], input.data(), std::min<size_t>(input.size(), 4096));
  if (n > 0) input.remove_prefix(static_cast<size_t>(n));
  if (n < 0 || input.empty()) pipe.close(1);
}

void exchange(Pipe& in, Pipe& out, Pipe& err, std::string_view input, Ended& end) {
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    std::array<pollfd, 3> fds{pollfd{in.ends[1], POLLOUT, 0}, pollfd{out.ends[0], POLLIN, 0},
                              pollfd{err.ends[0], POLLIN, 0}};
    REQUIRE(::poll(fds.data(), fds.size(), kLongest_ms) > 0);
    if (fds[0].revents) feed(in, input);
    if (fds[1].revents && !drain(out.ends[0], end.out)) out.close(0);
    if (fds[2].revents && !drain(err.ends[0], end.err)) err.close(0);
  }
}

Ended run(const Arguments& arguments, std::string_view input, const Environment& environment) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe in, out, err;
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(in.ends[0], 0);
    ::dup2(out.ends[1], 1);
    ::dup2(err.ends[1], 2);
    become(arguments, environment);
  }
  in.close(0);
  out.close(1);
  err.close(1);
  Ended end;
  exchange(in, out, err, input, end);
  int status = 0;
  ::waitpid(child, &status, 0);
  set_end(status, end);
  return end;
}

}  // namespace

Ended run_program(const Arguments& arguments, std::string_view input,
                  const Environment& environment) {
  Arguments all{NIBBLE_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run(all, input, environment);
}

Ended run_shell(const std::string& command, const Environment& environment) {
  return run({"/bin/sh", "-c", "nibble='" NIBBLE_PROGRAM "'; " + command}, {}, environment);
}

OnTerminal::OnTerminal(const Arguments& arguments, const Environment& environment) {
  winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  child_ = ::forkpty(&fd_, nullptr, nullptr, &size);
  REQUIRE(child_ >= 0);
  if (child_ > 0) return;
  Arguments all{NIBBLE_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  ::setenv("TERM", "xterm-256color", 1);
  become(all, environment);
}

OnTerminal::~OnTerminal() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  ::close(fd_);
}

bool OnTerminal::read_more(int wait_ms) {
  pollfd input{fd_, POLLIN, 0};
  return ::poll(&input, 1, wait_ms) > 0 && drain(fd_, written_);
}

void OnTerminal::type(std::string_view keys) {
  while (!keys.empty()) {  // a terminal takes 4096 bytes before somebody reads them
    const ssize_t n = ::write(fd_, keys.data(), std::min<size_t>(keys.size(), 512));
    REQUIRE(n > 0);
    keys.remove_prefix(static_cast<size_t>(n));
    if (!keys.empty()) read_more(20);
  }
}

bool OnTerminal::wait_for(std::string_view text) {
  while (true) {
    if (const size_t at = written_.find(text, seen_); at != std::string::npos) {
      seen_ = at + text.size();
      return true;
    }
    if (!read_more(kAnswer_ms)) return false;
  }
}

void OnTerminal::signal(int number) { ::kill(child_, number); }

int OnTerminal::wait_for_end() {
  while (read_more(kAnswer_ms)) {
  }
  int status = 0;
  ::waitpid(child_, &status, 0);
  child_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace nibble::tests
