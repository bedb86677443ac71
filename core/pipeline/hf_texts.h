// The texts of a Hugging Face folder beside config.json, from a GGUF model's keys.
#pragma once

#include <map>
#include <string>

#include "core/base/error.h"
#include "core/base/json.h"
#include "formats/metadata.h"

namespace nibble {

// Ids of bos, eos and padding, as config.json names them.
void add_token_ids(const Metadata& metadata, Json& config);
// File name to content: tokenizer.json and tokenizer_config.json where there is a tokenizer,
// generation_config.json, README.md. n_ctx: positions of the model.
Result<std::map<std::string, std::string>> hf_texts(const Metadata& metadata, int n_ctx);

}  // namespace nibble
