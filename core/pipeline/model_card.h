// The header of a Hugging Face model card: the YAML between the lines of --- at the beginning of a
// README.md, as far as it is keys with a text or a list of texts.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace nibble {

using ModelCard = std::map<std::string, std::vector<std::string>, std::less<>>;

// Keys with nested values, block texts and whatever else YAML has are left out.
ModelCard parse_model_card(std::string_view readme);
// Of the folder's README.md; empty where there is none.
Result<ModelCard> read_model_card(const std::filesystem::path& folder);

}  // namespace nibble
