// The feed-forward of a mixture of experts, grouped by expert, so that each weight is read once for
// all tokens of a batch. Shazeer 2017, arXiv:1701.06538. Who takes which expert is the caller's
// choice. The sum over a token's experts runs in the order in which they are given, whatever the
// batch.
#pragma once

#include <cstddef>
#include <span>

#include "core/base/function_ref.h"
#include "core/ops/input_watch.h"

namespace nibble {

// out[i] = f(gate[i], up[i]), i < n; gate is null where the experts have none; out may be gate.
using ExpertActivation = FunctionRef<void(const float* gate, const float* up, int n, float* out)>;

// One matrix for each expert, views into a stacked tensor or tensors of their own: gate, up [n_ff,
// n_embd], down [n_embd, n_ff]: down(f(gate x, up x)).
struct Experts {
  std::span<const Matrix> gate;  // may be empty
  std::span<const Matrix> up;
  std::span<const Matrix> down;
  const float* gate_bias = nullptr;  // [n_expert, n_ff] or null
  const float* up_bias = nullptr;    // [n_expert, n_ff] or null
  const float* down_bias = nullptr;  // [n_expert, n_embd] or null
  // Weights multiply the experts' input instead of their output (Llama 4).
  bool weigh_input = false;
  InputWatch* watch = nullptr;  // told the inputs of prompt tokens
};

// Which experts the tokens take: [n_tokens, n_used] each; a token's experts are all different.
struct Choice {
  int n_used = 0;
  const int* expert = nullptr;
  const float* weight = nullptr;
};

class MoeScratch {
 public:
  static size_t bytes_needed(int max_tokens, int n_embd, int n_ff, int n_expert, int n_used);
  MoeScratch(Arena& arena, int max_tokens, int n_embd, int n_ff, int n_expert, int n_used);

 private:
  friend class MoeCall;
  friend class PromptMoe;
  friend class TokenMoe;
  // A place is a token's row in one of its experts' tiles.
  std::byte* packed_x_[quant::kActivationKinds] = {};
  std::byte* packed_hidden_[quant::kActivationKinds] = {};
  float* hidden_ = nullptr;    // [places, n_ff]
  float* result_ = nullptr;    // [places, n_embd]
  int* pair_of_ = nullptr;     // [places]: token * n_used + slot, or -1
  int* place_of_ = nullptr;    // [max_tokens * n_used]
  int* first_tile_ = nullptr;  // [n_expert + 1]
  int* next_place_ = nullptr;  // [n_expert]
  int max_pairs_ = 0;
  int n_expert_ = 0;
};

// out[t] += sum_j weight[t, j] * down_e(f(gate_e x_t, up_e x_t)), e = expert[t, j].
// context.scratch: made for at least max(n_embd, n_ff) columns. go_on is asked between pieces of
// bounded work; once it says no, the rest is left undone.
void moe(const MatmulContext& context, MoeScratch& scratch, const Experts& experts,
         const Choice& choice, ExpertActivation f, ConstRows x, Rows out,
         FunctionRef<bool()> go_on);

}  // namespace nibble
