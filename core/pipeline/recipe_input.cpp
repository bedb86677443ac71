#include "core/pipeline/recipe_input.h"

#include <fmt/format.h>

namespace nibble {
namespace {

// A number of the architecture; where layers differ, the first one's. 0: not there.
int number_of(const Metadata& metadata, std::string_view architecture, std::string_view key) {
  const std::string name = fmt::format("{}.{}", architecture, key);
  if (metadata.is_array(name)) {
    const auto all = metadata.get_ints(name);
    return all && *all && !(*all)->empty() ? static_cast<int>((*all)->front()) : 0;
  }
  const auto one = metadata.get_u64(name);
  return one && *one && **one <= INT32_MAX ? static_cast<int>(**one) : 0;
}

}  // namespace

int64_t n_matrices(const Shape& s) {
  return s.n_dims > 2 ? s.n_rows() / s.dim[static_cast<size_t>(s.n_dims) - 2] : 1;
}

quant::RecipeModel recipe_model(const Metadata& metadata, bool has_imatrix) {
  const auto given = metadata.get_string("general.architecture");
  const std::string_view name = given && *given ? **given : "";
  const auto number = [&](std::string_view key) { return number_of(metadata, name, key); };
  return {.architecture = name,
          .n_layer = number("block_count"),
          .n_head = number("attention.head_count"),
          .n_head_kv = number("attention.head_count_kv"),
          .n_expert = number("expert_count"),
          .has_imatrix = has_imatrix};
}

std::vector<quant::RecipeTensor> recipe_tensors(const WeightFile& source) {
  std::vector<quant::RecipeTensor> tensors;
  for (const TensorView& t : source.tensors())
    tensors.push_back({t.name, t.shape.n_dims, t.shape.n_cols(), n_matrices(t.shape), t.format});
  return tensors;
}

}  // namespace nibble
