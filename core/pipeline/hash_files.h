// SHA-256 of files, several at a time.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"

namespace nibble {

// In the order of paths. go_on is asked by the calling thread between pieces, with the bytes done
// and in all; false: kInterrupted.
Result<std::vector<std::string>> hash_files(std::span<const std::filesystem::path> paths,
                                            ThreadPool& pool,
                                            FunctionRef<bool(uint64_t, uint64_t)> go_on);

}  // namespace nibble
