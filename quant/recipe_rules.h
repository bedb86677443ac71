// The rules of the mixes: which tensors of a model get another format than the mix's own.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "quant/recipe.h"

namespace nibble::quant {

enum class TensorKind : uint8_t {
  kOther,
  kOutput,     // the output matrix, or the embedding where that is used twice
  kEmbedding,  // where there is an output matrix too
  kV,          // values, and what holds them: attn_v, attn_qkv, attn_kv_b
  kK,
  kQ,
  kAttnOutput,
  kFfnDown,
  kFfnGate,
  kFfnUp,
};

// Where a tensor stands among those of its kind: the i-th of n, layer by layer.
struct Place {
  TensorKind kind = TensorKind::kOther;
  int i = 0, n = 1;
};
std::vector<Place> find_places(const RecipeModel& model, std::span<const RecipeTensor> tensors);

struct RuleInput {
  const RecipeModel& model;
  const RecipeTensor& tensor;
  const Place& place;
};
// The format that a rule of the mix gives; nullopt: none speaks about the tensor.
std::optional<std::string_view> rule_for(std::string_view mix, const RuleInput& in);
// All formats that rules of the mix may give.
std::vector<std::string_view> formats_of_rules(std::string_view mix);

}  // namespace nibble::quant
