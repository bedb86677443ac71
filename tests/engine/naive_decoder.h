// A whole sequence through a model in float64, written as plainly as possible: the reference for
// the decoder.
#pragma once

#include <vector>

#include "core/models/model.h"
#include "core/text/tokenizer.h"

namespace nibble::tests {

// Logits [tokens][n_vocab] of a sequence that starts at position 0.
std::vector<std::vector<double>> naive_logits(const Model& model,
                                              const std::vector<TokenId>& tokens);

}  // namespace nibble::tests
