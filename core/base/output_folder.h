// A folder that appears whole or not at all: filled under a temporary name beside the target, then
// renamed.
#pragma once

#include <filesystem>
#include <memory>

#include "core/base/error.h"

namespace nibble {

class OutputFolder {
 public:
  // overwrite: an existing target is replaced by commit() if it is empty or has a file `marker`,
  // which tells folders of its kind; otherwise it is refused (kUsage). Fails with kOutput.
  static Result<OutputFolder> create(const std::filesystem::path& target, bool overwrite,
                                     const char* marker);
  OutputFolder(OutputFolder&&) noexcept;
  ~OutputFolder();  // without commit(): nothing stays behind

  std::filesystem::path path() const;  // to write into
  Result<void> write(const char* name, std::string_view text) const;
  Result<void> commit();

 private:
  struct State;
  explicit OutputFolder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nibble
