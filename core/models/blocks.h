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

// Pairs of a family whose Q and K rows GGUF holds in another order than Hugging Face does.
RopePairs pairs_of_permuted(const Hparams& hparams);
void set_rope_pairs(Hparams& hparams, RopePairs pairs);
// The same rotation, as it is where the context was never stretched.
void unscale(RopeHparams& rope);

}  // namespace nibble
