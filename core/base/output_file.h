// Output that is whole or absent: written beside the target under a temporary name, synced,
// renamed, folder synced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "core/base/error.h"

namespace nibble {

class OutputFile {
 public:
  // overwrite: an existing target is replaced by commit(); otherwise it is refused (kUsage). A
  // target that exists and is no regular file (/dev/null, a pipe) is written directly. Fails with
  // kOutput; messages name the target.
  static Result<OutputFile> create(const std::filesystem::path& target, bool overwrite);
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();  // without commit(): nothing stays behind

  // Sets the space aside. Fails with the bytes missing when the file system does not have it.
  Result<void> reserve(uint64_t n_bytes);
  Result<void> write(std::span<const std::byte> bytes);  // at the end
  Result<void> write_at(uint64_t offset,
                        std::span<const std::byte> bytes);  // what stands there is replaced
  uint64_t n_bytes() const;                                 // written at the end so far
  // Makes it durable under the target's name. Nothing may be written afterwards.
  Result<void> commit();

 private:
  struct State;
  explicit OutputFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Removes the temporary files of all live OutputFiles. Async-signal-safe: for handlers that end the
// program.
void discard_unfinished_outputs() noexcept;

}  // namespace nibble
