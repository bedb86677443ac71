// From an error to what the shell sees.
#pragma once

#include "core/base/error.h"

namespace nibble::cli {

// Prints the error as one line with what to do about it (nothing for a closed pipe) and returns the
// exit code.
int report(const Error& error);
// A file that shrinks while it is mapped ends the program as a damaged one does. Once, by main.
void watch_mapped_files();

}  // namespace nibble::cli
