// One model of the reference kits: its stored sequences, logits and greedy continuation.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/text/tokenizer.h"

namespace nibble::tests {

struct KitSequence {
  std::vector<TokenId> tokens;
  std::vector<float> logits;  // [tokens, n_vocab]
};

struct KitModel {
  std::vector<KitSequence> sequences;
  std::vector<TokenId> prompt, greedy;
  double max_abs = 0, min_cosine = 0;
};

// folder: expected.json and expected.safetensors.
KitModel read_kit_model(const std::filesystem::path& folder);

}  // namespace nibble::tests
