// Which file a MODEL argument means, and what models are installed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "formats/weight_file.h"

namespace nibble::cli {

// The model that `run` takes when none is named.
inline constexpr const char* kDefaultModel = "SmolLM2-135M-Instruct.Q4_1.gguf";

std::filesystem::path models_folder();  // $XDG_DATA_HOME/nibble/models
// Names under models_folder(), sorted.
std::vector<std::string> installed_models();
// A path that exists, or the name of an installed model, with or without .gguf; nullopt is the
// installed default. Fails with kNotFound, or kUsage where the name is empty.
Result<std::filesystem::path> find_model(const std::optional<std::string>& model);
// What is read of an opened MODEL: its files, and the folder where they stand in one.
std::vector<std::filesystem::path> paths_of(const WeightFile& model);

}  // namespace nibble::cli
