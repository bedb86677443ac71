// Mixture of experts: which experts a token takes (routing), and the gated feed-forward of the
// chosen ones, grouped by expert so that each weight is read once for all tokens of a batch.
// Shazeer 2017, arXiv:1701.06538; groups and selection bias: DeepSeek-V3 2024, arXiv:2412.19437.
// The sum over a token's experts runs in the order of their choice, whatever the batch.
#pragma once

#include <cstddef>
#include <span>

#include "core/ops/activation.h"
#include "core/ops/matmul.h"

namespace nibble {

enum class ExpertGate {
  kSoftmax,          // over all experts
  kSigmoid,          // of each by itself
  kSoftmaxOfChosen,  // over the chosen ones' logits; the choice itself by logits
  kSqrtSoftplus,     // sqrt(log(1 + e^x)) of each by itself
};

struct Routing {
  int n_expert = 0;
  int n_expert_used = 0;
  ExpertGate gate = ExpertGate::kSoftmax;
  const float* selection_bias =
      nullptr;      // [n_expert]: added to the probabilities for the choice, not for the weights
  int n_group = 1;  // experts in groups of n_expert / n_group; only the best groups take part,
  int n_group_used = 1;    // by the sum of their two largest selection scores
  bool normalize = false;  // weights divided by their sum (of at least 2^-14)
  float scale = 1.0f;      // of the weights, after that
};

struct ChosenExpert {
  int expert = 0;
  float weight = 0;
};

inline constexpr int kMaxExperts = 1024;

// logits [n_expert] -> chosen [n_expert_used], best first; of equal scores the lower index.
void route(const Routing& routing, const float* logits, ChosenExpert* chosen);

// The experts' matrices, one of each for each expert (views into one stacked tensor, or into
// tensors of their own): gate, up [n_ff, n_embd], down [n_embd, n_ff]. Without gate: down(f(up x)).
struct Experts {
  Routing routing;
  std::span<const Matrix> gate;  // may be empty
  std::span<const Matrix> up;
  std::span<const Matrix> down;
  const float* gate_bias = nullptr;  // [n_expert, n_ff] or null
  const float* up_bias = nullptr;    // [n_expert, n_ff] or null
  const float* down_bias = nullptr;  // [n_expert, n_embd] or null
  Activation activation = Activation::kSilu;
  bool weigh_input =
      false;  // weights multiply the experts' input instead of their output (Llama 4)
};

class MoeScratch {
 public:
  static size_t bytes_needed(int max_tokens, int n_embd, int n_ff, int n_expert, int n_expert_used);
  MoeScratch(Arena& arena, int max_tokens, int n_embd, int n_ff, int n_expert, int n_expert_used);

 private:
  friend class MoeRun;
  ChosenExpert* chosen_ = nullptr;  // [max_tokens, n_expert_used]
  int* pair_ =
      nullptr;  // [max_tokens * n_expert_used]: token * n_expert_used + slot, sorted by expert
  int* first_pair_ = nullptr;  // [n_expert + 1]
  int* first_tile_ = nullptr;  // [n_expert + 1]
  float* hidden_ = nullptr;    // [pairs, n_ff]
  float* out_ = nullptr;       // [pairs, n_embd]
  int max_tokens_ = 0;
};

// out[t] += sum over the chosen experts e of weight[t, e] * (down_e(f(gate_e x_t) * up_e x_t)).
// logits [n_tokens, n_expert]: the router's product with x. context.scratch must be made for at
// least moe_tokens(n_tokens, ...) tokens and max(n_embd, n_ff) columns.
void moe(const MatmulContext& context, MoeScratch& scratch, const Experts& experts, ConstRows x,
         ConstRows logits, Rows out);

// How many tokens the products' scratch must take for a batch of n_tokens: each expert's tokens
// fill whole tiles.
int moe_tokens(int n_tokens, int n_expert, int n_expert_used);

}  // namespace nibble
