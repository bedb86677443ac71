// In what two readings of one model's hyperparameters differ: a folder's config and the GGUF file
// made of it, or the other way round.
#pragma once

#include <string>
#include <vector>

#include "core/models/hparams.h"
#include "formats/weight_file.h"

namespace nibble {

struct HparamsDifference {
  std::string field;  // "rope.base"
  std::string a, b;
};

// gguf: a file of the model, whose tensors tell divisors of the rotation. What says the same in two
// ways counts as equal, and so do numbers that differ by no more than `tolerance` times the larger.
std::vector<HparamsDifference> differences(Hparams a, Hparams b, const WeightFile& gguf,
                                           double tolerance);

}  // namespace nibble
