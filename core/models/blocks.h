// What the family files share: the ordinary block, and small helpers for their hyperparameters and
// tables.
#pragma once

#include "core/models/architecture.h"
#include "core/models/hparams_reader.h"
#include "core/models/tensor_table.h"

namespace nibble {

// The block of Llama, with whatever the hyperparameters ask for: windows, scales, experts, layers
// without positions.
BlockOptions common_block(const Hparams& hparams, int layer);

// The same rotation, as it is where the context was never stretched.
void unscale(RopeHparams& rope);

}  // namespace nibble
