// Which format each tensor of a model gets under a mix ("q4_k_m"). The mixes, their rules and their
// numbers are llama.cpp's, so that a file is what its name says; here they stand as a table, which
// tells the one rule that is not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "quant/format.h"

namespace nibble::quant {

struct Mix {
  std::string_view name;    // lower case: "q4_k_m"
  std::string_view format;  // of what no rule speaks about
  uint32_t file_type;       // general.file_type
};
std::span<const Mix> mixes();
const Mix* find_mix(std::string_view name);  // also short names ("q4"); nullptr: no such mix
// Whether every format that the mix may give is built in, with an encoder.
bool can_write(const Mix& mix);

// Whether the mix's own format is poor without importance, so that the mix is refused then.
bool needs_importance(const Mix& mix);
// Bits per weight that the mix takes of Llama 3.1 8B, the norms in f32 included: what tells mixes
// apart by size. With an importance matrix where the mix cannot do without.
double typical_bpw(const Mix& mix);

// What the rules ask of a model.
struct RecipeModel {
  std::string_view architecture;  // as GGUF has it
  int n_layer = 0, n_head = 0, n_head_kv = 0, n_expert = 0;
  bool has_imatrix = false;
};
struct RecipeTensor {
  std::string_view name;  // as GGUF has it
  int n_dims = 0;
  int64_t n_cols = 0, n_matrices = 1;
  const Format* source = nullptr;
};
// Tensors whose name an ECMAScript expression is found in.
struct Override {
  std::string pattern;
  const Format* format;
};

enum class Cause : uint8_t {
  kKept,      // not a matrix of weights: stays as it is
  kMix,       // the mix's own format
  kRule,      // a rule of the mix
  kOverride,  // --tensor
  kBudget,    // chosen to spend a budget of bytes well
};
struct Choice {
  const Format* asked = nullptr;
  const Format* used = nullptr;  // another than asked: rows are no multiple of asked's block
  Cause cause = Cause::kKept;
  bool fell_back() const { return used != asked; }
};

// One choice for each tensor. Fails with kUsage: an expression that is none, or that finds no
// tensor of weights; with kUnsupported: the mix needs a format that is not built in.
Result<std::vector<Choice>> choose_formats(const Mix& mix, const RecipeModel& model,
                                           std::span<const RecipeTensor> tensors,
                                           std::span<const Override> overrides);

}  // namespace nibble::quant
