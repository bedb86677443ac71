// The rotation's frequencies from hyperparameters: plain, linear, YaRN, llama3 and longrope
// scaling.
#pragma once

#include "core/models/hparams.h"
#include "core/ops/rope.h"

namespace nibble {

// factors: divisors of the frequencies [n_rot / 2], or null: those of the hyperparameters, if any.
Rope make_rope(const RopeHparams& hparams, const float* factors = nullptr);

// The divisors that Llama 3.1 scales by, as GGUF stores them in rope_freqs.weight.
std::vector<double> llama3_factors(const RopeHparams& hparams);

}  // namespace nibble
