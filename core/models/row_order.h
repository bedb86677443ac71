// Where a row of a GGUF tensor stands in Hugging Face's layout of it.
#pragma once

#include <cstdint>

#include "core/models/architecture.h"

namespace nibble {

// Row `row` of the GGUF matrix is this row of the Hugging Face matrix; of a part, of the part.
int64_t hf_row(const TensorSpec& spec, const Hparams& hparams, int64_t row);

}  // namespace nibble
