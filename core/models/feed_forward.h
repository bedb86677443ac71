// The feed-forward branch of a layer: dense, or a mixture of experts with a shared one beside it.
#pragma once

#include <optional>
#include <span>

#include "core/base/thread_pool.h"
#include "core/models/architecture.h"
#include "core/models/products.h"
#include "core/ops/moe.h"
#include "core/tensor/arena.h"

namespace nibble {

// Chooses experts for one token from the router's logits [n_expert], which it overwrites, as it
// does the n_expert values after them: ids [n_expert_used] ascending and their weights. bias
// [n_expert] (or null) counts for the choice only.
void choose_experts(const MoeHparams& moe, const float* bias, float* logits, int* ids,
                    float* weights);

class FeedForward {
 public:
  // Bytes of an arena that `max_tokens` tokens of any layer need.
  static size_t bytes_needed(const Hparams& hparams, int max_tokens);
  FeedForward(Arena& arena, ThreadPool& pool, Products& products, const Hparams& hparams,
              int max_tokens);

  // out (+)= ffn(x), x [n, n_embd] made row by row. add: on top of what is in out.
  void run(const BlockOptions& options, const LayerWeights& layer, int n_tokens, RowSource x,
           Rows out, bool add);

 private:
  struct Gated {  // the matrices of one gated feed-forward; gate may be null
    const Matrix *gate, *up, *down;
    const float *gate_bias, *up_bias, *down_bias;
  };
  void activated(const BlockOptions& options, const float* gate, const float* up, int n,
                 float* out) const;
  void dense(const BlockOptions& options, const Gated& w, int n_tokens, RowSource x, Rows out,
             bool add);
  void experts(const BlockOptions& options, const LayerWeights& layer, int n_tokens, Rows out);
  void shared_expert(const BlockOptions& options, const LayerWeights& layer, ConstRows x, Rows out);
  void route(const LayerWeights& layer, int n_tokens);

  ThreadPool& pool_;
  Products& products_;
  const Hparams& h_;
  std::span<float> wide_;     // [max_tokens, gate and up]
  std::span<float> x_;        // [max_tokens, n_embd]: the branch's input
  std::span<float> result_;   // [max_tokens, n_embd]: what comes back
  std::span<float> logits_;   // [max_tokens, 2 n_expert]: logits, and room to choose in
  std::span<float> weights_;  // [max_tokens, n_expert_used]
  std::span<int> ids_;        // [max_tokens, n_expert_used]
  std::optional<MoeScratch> moe_scratch_;
};

}  // namespace nibble
