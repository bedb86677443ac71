// Files and folders that must not stay behind when a signal ends the program.
#pragma once

namespace nibble {

// path must live until it is forgotten.
void remember_unfinished(const char* path);
void forget_unfinished(const char* path);
// Removes them. Async-signal-safe: for handlers that end the program.
void discard_unfinished_outputs() noexcept;

}  // namespace nibble
