// What a model's folder says of its tokenizer, before it is put together.
#pragma once

#include <filesystem>

#include "core/text/pipeline.h"

namespace nibble::text {

// tokenizer.json, tokenizer.model or vocab.json and merges.txt, with what the files beside it say
// of special tokens; used is the one that was read. Messages begin with the file's path.
Result<TokenizerSource> read_folder_source(const std::filesystem::path& folder,
                                           std::filesystem::path& used);

}  // namespace nibble::text
