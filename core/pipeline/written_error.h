// What weights lost in a file that is written already: for tensors that an earlier run made.
#pragma once

#include <filesystem>

#include "core/pipeline/recode.h"

namespace nibble {

// Of the jobs, in order, which are the first tensors of the GGUF file. Fails as open_weight_file.
Result<std::vector<RecodeError>> measure_written(std::span<const RecodeJob> jobs,
                                                 const std::filesystem::path& file,
                                                 ThreadPool& pool);

}  // namespace nibble
