// What a GGUF file says of the model as a whole, from a folder's model card (README.md), its
// generation_config.json and its tensors.
#pragma once

#include <span>
#include <string>

#include "core/base/error.h"
#include "formats/metadata_draft.h"
#include "formats/weight_file.h"

namespace nibble {

// general.*: architecture, name, size label, licence, base models, sampling defaults, file type.
// tensors: those of the GGUF file.
Result<void> add_general_keys(const WeightFile& folder, std::string_view architecture,
                              std::span<const TensorView> tensors, MetadataDraft& out);

// "1.5B", "8x7B": as llama.cpp's converter counts and rounds.
std::string size_label(std::span<const TensorView> tensors);

}  // namespace nibble
