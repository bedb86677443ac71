#include "cli/exit_code.h"

#include <signal.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/signals.h"
#include "core/base/mapped_file.h"
#include "core/base/output_file.h"
#include "core/base/printable.h"

namespace nibble::cli {
namespace {

constexpr size_t kLongestMessage = 8192;  // bytes: a path has up to 4096

int g_exit_code_of_success = 0;

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return 2;
    case ErrorKind::kNotFound:
    case ErrorKind::kCorrupt:
    case ErrorKind::kUnsupported:
    case ErrorKind::kInvalidInput:
      return 3;
    case ErrorKind::kContextFull:
    case ErrorKind::kOutOfMemory:
      return 4;
    case ErrorKind::kIncomplete:
      return 5;
    case ErrorKind::kOutput:
      return 6;
    case ErrorKind::kInternal:
      return 70;
    case ErrorKind::kInterrupted:
      return pending_signal() ? 128 + pending_signal() : 128 + SIGINT;
  }
  return 70;
}

// What helps in general; a message that knows better says so itself, after "; ".
const char* hint(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kCorrupt:
      return " (the file is damaged or incomplete: fetch it again)";
    case ErrorKind::kOutOfMemory:
      return " (a smaller -c or -b, or a smaller model, needs less)";
    case ErrorKind::kInternal:
      return " (a fault of nibble's own: please report it)";
    default:
      return "";
  }
}

// Inside of a signal handler.
void report_shrunk(const char* path, uint64_t) {
  write_err("nibble: ");
  write_err(path);
  write_err(": the file became shorter while it was read; make it whole again\n");
  discard_unfinished_outputs();
  _exit(exit_code(ErrorKind::kCorrupt));
}

}  // namespace

void watch_mapped_files() { report_shrunk_files(report_shrunk); }

int report(const Error& error) {
  if (error.kind == ErrorKind::kOutput && output_closed()) return 0;
  if (error.kind == ErrorKind::kInterrupted) return exit_code(error.kind);
  const std::string message = printable(one_line(error.message), kLongestMessage);
  write_err("nibble: " + message + hint(error.kind) + "\n");
  return exit_code(error.kind);
}

void note_mismatch() { g_exit_code_of_success = 1; }
int exit_code_of_success() { return g_exit_code_of_success; }

}  // namespace nibble::cli
