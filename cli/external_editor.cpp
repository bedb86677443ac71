#include "cli/external_editor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "cli/input.h"
#include "core/base/unfinished.h"

namespace nibble::cli {
namespace {

const char* editor() {
  for (const char* name : {"VISUAL", "EDITOR"})
    if (const char* command = getenv(name); command && *command) return command;
  return nullptr;
}

// A file of our own that is gone at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / "nibble-XXXXXX") {
    const int fd = mkstemp(path_.data());
    if (fd >= 0) remember_unfinished(path_.c_str());
    ok_ = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0) close(fd);
  }
  ~TemporaryFile() {
    unlink(path_.c_str());
    forget_unfinished(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  bool ok() const { return ok_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool ok_ = false;
};

// While another program has the terminal, its keys for signals are that program's.
class IgnoredKeys {
 public:
  IgnoredKeys() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignore, &interrupt_);
    sigaction(SIGQUIT, &ignore, &quit_);
  }
  ~IgnoredKeys() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGQUIT, &quit_, nullptr);
  }
  IgnoredKeys(const IgnoredKeys&) = delete;
  IgnoredKeys& operator=(const IgnoredKeys&) = delete;

 private:
  struct sigaction interrupt_, quit_;
};

// The command's exit status; -1 where it could not be run.
int run_editor(const std::string& command, const std::string& path) {
  // The trap keeps the shell alive; what it starts has the signals as they are by default.
  const std::string line = "trap : INT QUIT; " + command + " \"$1\"";
  const IgnoredKeys ignored;
  const pid_t child = fork();
  if (child == 0) {
    for (const int number : {SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ}) signal(number, SIG_DFL);
    execl("/bin/sh", "sh", "-c", line.c_str(), "sh", path.c_str(), nullptr);
    _exit(127);
  }
  int status = -1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Result<std::string> edit_externally(const std::string& text) {
  const char* command = editor();
  if (!command) return fail(ErrorKind::kUsage, "set EDITOR to the editor you want");
  const TemporaryFile file(text);
  if (!file.ok())
    return fail(ErrorKind::kOutput, "{} cannot be written: {}", file.path(), strerror(errno));
  const int status = run_editor(command, file.path());
  if (status != 0) return invalid_input("the editor '{}' failed; nothing was sent", command);
  NIBBLE_TRY(std::string edited, read_text(file.path()));
  edited.erase(edited.find_last_not_of("\r\n") + 1);
  return edited;
}

}  // namespace nibble::cli
