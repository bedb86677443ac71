// Input is never output: what a command is going to write is held against what it reads.
#pragma once

#include <filesystem>
#include <span>

#include "core/base/error.h"

namespace nibble {

// Files are the same by what they are, whatever their names: links are followed. Inputs that are
// folders stand for all files in them but GGUF files, which nothing reads there; outputs that are
// folders for all that would go with them. Devices and pipes are nobody's. Fails with kUsage.
Result<void> check_distinct(std::span<const std::filesystem::path> outputs,
                            std::span<const std::filesystem::path> inputs);

}  // namespace nibble
