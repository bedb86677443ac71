// vocab.json and merges.txt, which GPT-2 and early models built like it have in place of a
// tokenizer.json. Source: the tokenizer_config.json of those checkpoints and transformers' GPT2
// converter.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/error.h"

namespace nibble::text {

// The tokenizer.json that says the same. Messages name the file. Fails with kUnsupported where
// tokenizer_config.json asks for another tokenizer than GPT-2's.
Result<std::string> tokenizer_json_of_gpt2(const std::filesystem::path& folder);

}  // namespace nibble::text
