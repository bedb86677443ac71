// Whether a file system has room, before work starts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "core/base/error.h"

namespace nibble {

struct SpaceWanted {
  std::filesystem::path target;  // need not exist
  uint64_t n_bytes = 0;          // beyond what is set aside already
};
// Sums what is wanted on each file system. Fails (kOutput) with the bytes missing on one of them.
// What cannot be asked passes: writing finds out.
Result<void> check_free_space(std::span<const SpaceWanted> wanted);

}  // namespace nibble
