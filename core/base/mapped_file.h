// A file in memory, read-only and shared with the page cache. Says how it is going to be read, and
// what happens when the file becomes shorter than it was (the kernel's SIGBUS). Linux only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/error.h"

namespace nibble {

class MappedFile {
 public:
  // Fails with kNotFound when there is no such file, kInvalidInput when it is no regular file or
  // cannot be read. The messages do not name the path: the opener does.
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const;  // valid as long as this lives
  std::string_view text() const;
  const std::filesystem::path& path() const;

  // The whole file will be read again and again (weights of a running model): maps its pages in the
  // background, then brings them into huge ones (core/base/huge_pages.h).
  void preload();
  // Reads it into memory of the program's own instead (--no-mmap): bytes() stay where they are.
  // Fails with kOutOfMemory, before anything is read where that can be known, or kInvalidInput.
  Result<void> copy();
  // Reads what is not in memory and keeps all of it there (mlock(2)). Fails (kOutOfMemory), naming
  // the limit.
  Result<void> lock();
  // Bytes of it that are in memory now.
  uint64_t resident_bytes() const;
  // The file will be read once, front to back (quantize, convert, checksums).
  void read_ahead();

 private:
  struct State;
  explicit MappedFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// From now on a read of a mapped page that the file no longer has calls report(path, offset), on
// the reading thread, inside of a signal handler: it must only use async-signal-safe functions and
// must not return. Any other SIGBUS keeps its meaning. Called once, by main.
using ShrunkFileReport = void (*)(const char* path, uint64_t offset);
void report_shrunk_files(ShrunkFileReport report);

}  // namespace nibble
