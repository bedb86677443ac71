#include "cli/external_editor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "cli/input.h"
#include "cli/signals.h"

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
    ok_ = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0) close(fd);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  bool ok() const { return ok_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool ok_ = false;
};

// The command's exit status; -1 where it could not be run.
int run_editor(const std::string& command, const std::string& path) {
  const std::string line = command + " \"$1\"";
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGPIPE, SIG_DFL);
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
  const SignalWatch watch;  // Ctrl-C is the editor's
  const int status = run_editor(command, file.path());
  clear_pending_signal();
  if (status != 0) return invalid_input("the editor '{}' failed; nothing was sent", command);
  NIBBLE_TRY(std::string edited, read_text(file.path()));
  edited.erase(edited.find_last_not_of("\r\n") + 1);
  return edited;
}

}  // namespace nibble::cli
