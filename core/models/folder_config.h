// Which family runs a Hugging Face folder, and its config.json as GGUF's keys.
#pragma once

#include "core/models/architecture.h"
#include "formats/weight_file.h"

namespace nibble {

struct FolderConfig {
  const Architecture* architecture = nullptr;
  Metadata metadata;
};

// config: config.json; of a model with other parts beside the text, its text_config (or llm_config,
// language_config) is what counts.
// file: the folder's weights, which decide where the two parts disagree on whether the output
// matrix is the embedding, or where the wrapper's class says so by default alone; nullptr: what
// stands outside of the text's part counts then, or that default. A stored output matrix that is
// not the embedding counts in any case. Fails with
// kUnsupported where no family has the class, or a value is one that its family does not run.
Result<FolderConfig> read_folder_config(const Json& config, const WeightFile* file = nullptr);

}  // namespace nibble
