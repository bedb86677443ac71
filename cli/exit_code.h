// From an error to what the shell sees.
#pragma once

#include "core/base/error.h"

namespace nibble::cli {

// Prints the error as one line with what to do about it (nothing for a closed pipe) and returns the
// exit code.
int report(const Error& error);
// A file that shrinks while it is mapped ends the program as a damaged one does. Once, by main.
void watch_mapped_files();

// Ends the program with 1 where it would have ended with 0: what was compared is not the same.
void note_mismatch();
int exit_code_of_success();  // 0, or 1 after note_mismatch()

}  // namespace nibble::cli
