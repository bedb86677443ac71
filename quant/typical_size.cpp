// The size of a well-known model under each mix.
#include <string>

#include "core/base/assert.h"
#include "quant/recipe.h"

namespace nibble::quant {
namespace {

struct Matrix {
  std::string name;
  int64_t n_cols, n_rows;
};

// Llama 3.1 8B.
constexpr int kLayers = 32;
constexpr int64_t kEmbd = 4096, kFf = 14336, kKv = 1024, kVocab = 128256;

std::vector<Matrix> matrices() {
  struct Part {
    std::string_view name;
    int64_t n_cols, n_rows;
  };
  static constexpr Part kParts[] = {
      {"attn_q", kEmbd, kEmbd}, {"attn_k", kEmbd, kKv},        {"attn_v", kEmbd, kKv},
      {"ffn_gate", kEmbd, kFf}, {"attn_output", kEmbd, kEmbd}, {"ffn_up", kEmbd, kFf},
      {"ffn_down", kFf, kEmbd},
  };
  std::vector<Matrix> all{{"token_embd.weight", kEmbd, kVocab}, {"output.weight", kEmbd, kVocab}};
  for (int layer = 0; layer < kLayers; ++layer)
    for (const Part& p : kParts)
      all.push_back({fmt::format("blk.{}.{}.weight", layer, p.name), p.n_cols, p.n_rows});
  return all;
}

}  // namespace

double typical_bpw(const Mix& mix) {
  const std::vector<Matrix> all = matrices();
  std::vector<RecipeTensor> tensors;
  for (const Matrix& m : all) tensors.push_back({m.name, 2, m.n_cols, 1, find_format("f16")});
  const RecipeModel model{.architecture = "llama",
                          .n_layer = kLayers,
                          .n_head = 32,
                          .n_head_kv = 8,
                          .has_imatrix = needs_importance(mix)};
  const auto choices = choose_formats(mix, model, tensors, {});
  NIBBLE_ASSERT(choices.has_value());
  double n_weights = (2 * kLayers + 1) * kEmbd, n_bits = 32 * n_weights;  // the norms
  for (size_t i = 0; i < all.size(); ++i) {
    const auto n = static_cast<double>(all[i].n_cols * all[i].n_rows);
    n_weights += n;
    n_bits += n * (*choices)[i].used->bpw();
  }
  return n_bits / n_weights;
}

}  // namespace nibble::quant
