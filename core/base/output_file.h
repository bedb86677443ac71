// Output that is whole or absent: written beside the target under a temporary name, synced,
// renamed, folder synced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "core/base/error.h"
#include "core/base/unfinished.h"

namespace nibble {

class OutputFile {
 public:
  // overwrite: an existing target is replaced by commit(); otherwise it is refused (kUsage). A
  // target that exists and is no regular file (/dev/null, a pipe) is written directly. Fails with
  // kOutput; messages name the target.
  static Result<OutputFile> create(const std::filesystem::path& target, bool overwrite);
  // Whether create(), or create_partial(), would do, leaving nothing behind. What is written
  // directly is not opened for that.
  static Result<void> check(const std::filesystem::path& target, bool overwrite);
  static Result<void> check_partial(const std::filesystem::path& target, bool overwrite);
  // As create(), under a hidden temporary name that is the same each time, so that an interrupted
  // run can be taken up again: partial_path(target, "part"). Locked: one that another process
  // writes is refused, and so is a target that is no regular file (kOutput). take_up: what stands
  // there stays, as far as keep_first() says. keep: it stays when this dies without commit().
  static Result<OutputFile> create_partial(const std::filesystem::path& target, bool overwrite,
                                           bool take_up, bool keep);
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();  // without commit(): nothing stays behind

  // Sets the space aside. Fails with the bytes missing when the file system does not have it.
  Result<void> reserve(uint64_t n_bytes);
  // At the end. Handed to the system in whole huge pages, what is left over by flush().
  Result<void> write(std::span<const std::byte> bytes);
  Result<void> flush();
  Result<void> write_at(uint64_t offset,
                        std::span<const std::byte> bytes);  // what stands there is replaced
  // Of a file that was taken up: what stands at an offset. Fails with kOutput where nothing does.
  Result<void> read_at(uint64_t offset, std::span<std::byte> bytes) const;
  Result<void> keep_first(uint64_t n_bytes);  // cuts off the rest; writing goes on there
  uint64_t n_bytes() const;                   // written at the end so far
  // Makes it durable under the target's name. Nothing may be written afterwards.
  Result<void> commit();
  // The same in two steps, for files that are of use together only: without settle() it goes from
  // under that name again, but for one that is kept.
  Result<void> give_name();
  void settle();

 private:
  struct State;
  explicit OutputFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// ".NAME.nibble-SUFFIX" beside the target.
std::filesystem::path partial_path(const std::filesystem::path& target, const char* suffix);

}  // namespace nibble
