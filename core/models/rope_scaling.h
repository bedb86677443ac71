// The rotation's frequencies from hyperparameters: plain, linear, dynamic NTK, YaRN, llama3 and
// longrope scaling.
#pragma once

#include "core/models/hparams.h"
#include "core/ops/rope.h"

namespace nibble {

// factors: divisors of the frequencies [n_rot / 2], or null: those of the hyperparameters, if any.
Rope make_rope(const RopeHparams& hparams, const float* factors = nullptr);

// What rotates a sequence that outgrows n_ctx_orig under dynamic NTK or longrope scaling. Dynamic
// NTK's base is that of a sequence of n tokens; n 0: of n_ctx_orig * factor at once, so that it
// does not change with each further token.
RopeHparams longer_rope(const RopeHparams& hparams, int n = 0);

// The divisors that Llama 3.1 scales by, as GGUF stores them in rope_freqs.weight.
std::vector<double> llama3_factors(const RopeHparams& hparams);

}  // namespace nibble
