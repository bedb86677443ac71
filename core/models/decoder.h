// The shared decoder: runs a batch of tokens through all layers as their BlockOptions say, and
// makes logits. Buffers are carved from an arena once; a batch allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/models/feed_forward.h"
#include "core/models/kv_cache.h"
#include "core/models/latent_attention.h"
#include "core/models/model.h"
#include "core/models/products.h"
#include "core/models/weights.h"
#include "core/ops/attention.h"
#include "core/ops/rope.h"

namespace nibble {

struct DecoderOptions {
  int n_ctx = 0;
  int n_batch = 0;
  bool exact = false;
  InputWatch* watch = nullptr;  // told the inputs of all products
};

// What a model keeps of each position, for its cache.
std::vector<KvShape> kv_shapes(const Architecture& architecture, const Hparams& hparams);

class Decoder {
 public:
  static size_t bytes_needed(const Model& model, const DecoderOptions& options, int n_threads);
  Decoder(const Model& model, const DecoderOptions& options, ThreadPool& pool, Arena& arena);

  // Runs tokens (at most n_batch; one when generating) at positions first_position + i through all
  // layers, stores their keys and values, and keeps what logits() of tokens from `from` on needs.
  // go_on is asked often; false: the batch is abandoned and false returned.
  bool run(KvCache& cache, Phase phase, std::span<const int32_t> tokens, int first_position,
           int from, FunctionRef<bool()> go_on);
  // Logits of n tokens from index `first` of the last batch on: [n, n_vocab]; n at most
  // logits_rows(). Fails (kInvalidInput) when one is not finite.
  Result<ConstRows> logits(int first, int n);
  int logits_rows() const { return logits_rows_; }
  // Sequences longer than the trained length rotate by other factors (longrope, dynamic NTK). n:
  // the length of the whole sequence. Returns whether that changed anything: keys stored before
  // then no longer fit.
  bool set_rope_length(int n);
  bool has_long_rope() const { return has_long_rope_; }
  // Exact computing under dynamic NTK: beyond the trained length each length has factors of its
  // own.
  bool rope_follows_length() const;

 private:
  struct Batch {
    int n = 0;
    int first_position = 0;
    int from = 0;  // in this layer: earlier tokens only leave keys and values
    Phase phase = Phase::kPrompt;
  };
  template <class A>
  void carve(A& arena, int n_threads);
  explicit Decoder(const Model& model);

  void embed(std::span<const int32_t> tokens);
  void rope_tables(const Batch& b);
  void layer(int i, Batch b, KvCache& cache);
  void norm_input(int i, int t, float* out) const;
  void project_qkv(int i, const Batch& b);
  void project_latent(int i, const Batch& b, const KvLayer& kv);
  void store_token(int i, const Batch& b, const KvLayer& kv, int t, int thread);
  void ungroup(float* row, float* scratch) const;
  void normalize_heads(const BlockOptions& o, const LayerWeights& w, float* q, float* k) const;
  void attend(int i, const Batch& b, const KvLayer& kv);
  void add_branch(const BlockOptions& o, const Norm& post, const Batch& b);
  void feed_forward(int i, const Batch& b);
  AttentionOptions attention_options(int i) const;
  const Norm& ffn_norm(int i) const;
  bool finish_logits(const Rows& out);

  const Model& model_;
  const Hparams& h_;
  const Weights& w_;
  DecoderOptions options_;
  ThreadPool* pool_ = nullptr;
  std::vector<BlockOptions> blocks_;
  std::vector<float> alibi_;  // [n_head]
  Rope rope_, rope_swa_, long_rope_;
  bool has_long_rope_ = false;
  bool long_rope_on_ = false;
  int rope_length_ = 0;  // that the long factors were made for; 0: the whole stretched length
  std::optional<MatmulScratch> matmul_scratch_;
  std::optional<AttentionScratch> attention_scratch_;
  std::optional<Products> products_;
  std::optional<FeedForward> ffn_;
  std::optional<LatentAttention> latent_;
  int n_qkv_ = 0;
  int logits_rows_ = 0;
  std::span<float> residual_;   // [n_batch, n_embd]
  std::span<float> qkv_;        // [n_batch, n_qkv]
  std::span<float> ungrouped_;  // [n_threads, n_qkv]
  std::span<float> context_;    // [n_batch, n_head * d_v]: attention's output
  std::span<float> branch_;     // [n_batch, n_embd]: a branch before it joins the residual
  std::span<float> tables_, tables_swa_;  // [n_batch, n_rot]: cos and sin of each token
  std::span<float> low_rank_;             // [n_batch, ranks]: for adapters
  std::span<float> logits_;               // [logits_rows, n_vocab]
};

}  // namespace nibble
