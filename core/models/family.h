// Which family a file's model is of, and its hyperparameters, without its weights.
#pragma once

#include "core/base/error.h"
#include "core/models/architecture.h"
#include "formats/weight_file.h"

namespace nibble {

struct Family {
  const Architecture* architecture = nullptr;
  Hparams hparams;
};

// From a GGUF file's keys or a folder's config. Fails with kUnsupported where the family is not
// built in, else as its read_config and read_hparams do; messages begin with the path.
Result<Family> read_family(const WeightFile& file);

}  // namespace nibble
