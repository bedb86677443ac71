// The opener of a file puts its path before what went wrong inside of it. A folder's path is left
// out where that of one of its files stands there already.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace nibble {

inline std::unexpected<Error> with_path(const std::filesystem::path& path,
                                        std::unexpected<Error> failed) {
  const std::string shown = printable(path.native(), 200);
  std::string& message = failed.error().message;
  if (!message.starts_with(shown.ends_with('/') ? shown : shown + '/'))
    message = shown + ": " + message;
  return failed;
}

template <class T>
Result<T> with_path(const std::filesystem::path& path, Result<T> result) {
  if (result) return result;
  return with_path(path, std::unexpected(std::move(result).error()));
}

}  // namespace nibble
