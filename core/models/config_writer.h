// Writes a model's config.json from its hyperparameters: the reverse of a family's read_config. A
// family gives templates, as data; a template is right if the family reads it back as the same
// hyperparameters, so that what one cannot say is never lost.
#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/models/architecture.h"

namespace nibble {

struct HfConfig {
  Json config;
  // Of alternative names in the family's table, those that have one of these parts go first.
  std::vector<std::string> names;
};

// gguf: a GGUF model of the family; hparams: as its family reads them. Fails with kUnsupported
// where no template of the family says what the hyperparameters do.
Result<HfConfig> write_config(const Architecture& family, const Hparams& hparams,
                              const WeightFile& gguf);

}  // namespace nibble
