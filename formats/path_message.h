// The opener of a file puts its path before what went wrong inside of it.
#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace nibble {

template <class T>
Result<T> with_path(const std::filesystem::path& path, Result<T> result) {
  if (!result)
    result.error().message = printable(path.native(), 200) + ": " + result.error().message;
  return result;
}

}  // namespace nibble
