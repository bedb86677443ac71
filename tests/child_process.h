// Runs something that ends its process, in a child, and tells how it ended and what it wrote to
// standard error.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace nibble::tests {

struct ChildEnd {
  int exit_code = -1;  // -1: by a signal
  int signal = 0;
  std::string standard_error;
};

template <class F>
ChildEnd in_child(F body) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 2);
    body();
    ::_exit(0);
  }
  ::close(ends[1]);
  ChildEnd end;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    end.standard_error.append(buffer, static_cast<size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

}  // namespace nibble::tests
