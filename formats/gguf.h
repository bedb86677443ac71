// A GGUF model: one file, or all files of a split one (PREFIX-00001-of-00003.gguf), found beside
// the one that was named. The first file's keys are the model's.
#pragma once

#include <filesystem>
#include <memory>

#include "core/base/mapped_file.h"
#include "formats/weight_file.h"

namespace nibble::gguf {

// file: MODEL itself, mapped already. Messages begin with the path of the file at fault.
Result<std::unique_ptr<WeightFile>> open(MappedFile file);

}  // namespace nibble::gguf
