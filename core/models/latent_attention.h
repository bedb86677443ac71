// Multi-head latent attention in its absorbed form (DeepSeek-V2, arXiv:2405.04434, section 2.1):
// queries are brought into the space of the compressed keys, so that the cache holds kv_lora +
// d_rope values for each position, shared by all heads; what attention gives is expanded to each
// head's values after.
#pragma once

#include <span>

#include "core/models/products.h"
#include "core/models/weights.h"
#include "core/ops/attention.h"
#include "core/ops/rope.h"

namespace nibble {

class LatentAttention {
 public:
  static size_t bytes_needed(const Hparams& hparams, int max_tokens);
  LatentAttention(Arena& arena, ThreadPool& pool, Products& products, const Hparams& hparams,
                  int max_tokens);

  // x [n, n_embd], the layer's input after its norm -> queries [n, n_head * d_k] for attention(),
  // and the compressed keys into the cache. tables: of rope, one for each token.
  void project(const LayerWeights& layer, int n_tokens, RowSource x, const Rope& rope,
               const float* tables, const KvLayer& kv, int first_position, Rows queries);
  // What attention gave, [n, n_head * kv_lora] -> [n, n_head * d_v].
  Rows expand(const LayerWeights& layer, ConstRows context);

 private:
  void queries(const LayerWeights& layer, int n_tokens, RowSource x);

  ThreadPool& pool_;
  Products& products_;
  const Hparams& h_;
  std::span<float> q_a_;  // [max_tokens, q_lora]
  std::span<float>
      q_;  // [max_tokens, n_head * (d_nope + d_rope)], later [max_tokens, n_head * d_v]
  std::span<float> kv_a_;  // [max_tokens, kv_lora + d_rope]
};

}  // namespace nibble
