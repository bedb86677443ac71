// What a model's hyperparameters say, in the field's words, whichever container they were read
// from. A family's read_hparams fills it, its tensors() and block() read it; nothing else does
// arithmetic on metadata.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ops/activation.h"
#include "core/ops/rope.h"

namespace nibble {

constexpr int kMaxLayers = 4096;

// How positions beyond the trained length are squeezed into the rotation. Sources: Chen 2023
// (linear), Peng 2023, arXiv:2309.00071 (dynamic NTK, YaRN), Llama 3.1's model card (llama3), Ding
// 2024, arXiv:2402.13753 (longrope).
enum class RopeScaling : uint8_t { kNone, kLinear, kDynamic, kYarn, kLlama3, kLongrope };

struct RopeHparams {
  double base = 10000;
  int n_rot = 0;  // rotated values of a head
  int first = 0;  // index of the first one
  RopePairs pairs = RopePairs::kAdjacent;
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1;                     // how many times longer
  int n_ctx_orig = 0;                    // trained length before scaling
  double beta_fast = 32, beta_slow = 1;  // YaRN: rotations at which interpolation begins and ends
  double ext_factor = 1;                 // YaRN: share of extrapolation
  bool truncate = true;                  // YaRN: the range of pairs is rounded to whole ones
  double low_freq = 1, high_freq = 4;    // llama3
  double magnitude = 1;                  // of cos and sin
  std::vector<double>
      factors;  // divisors of the frequencies [n_rot / 2]: rope_freqs, short factors
  std::vector<double> long_factors;  // the ones for sequences longer than n_ctx_orig
  bool operator==(const RopeHparams&) const = default;
};

enum class ExpertGating : uint8_t {
  kSoftmax,        // probabilities over all experts
  kSigmoid,        // each expert by itself
  kSoftmaxChosen,  // softmax over the chosen experts' logits
};

// Mixture of experts. n_expert 0: none.
struct MoeHparams {
  int n_expert = 0;
  int n_expert_used = 0;
  int n_ff = 0;         // of one expert
  int n_ff_shared = 0;  // of the shared expert; 0: none
  ExpertGating gating = ExpertGating::kSoftmax;
  bool normalize = false;  // the chosen weights sum to one
  float scale = 1;         // of the chosen weights
  int n_group = 1;         // experts are chosen among the best n_group_used groups
  int n_group_used = 1;
  int group_top = 2;         // a group's score: the sum of its best so many
  bool scale_input = false;  // weights multiply the experts' input, not their output
  bool operator==(const MoeHparams&) const = default;
};

// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434). kv_lora 0: none.
struct MlaHparams {
  int q_lora = 0;   // rank of the compressed query; 0: not compressed
  int kv_lora = 0;  // rank of the compressed keys and values
  int d_nope = 0;   // of a head: values without position
  int d_rope = 0;   // and with it
  int d_v = 0;
  float eps = 1e-6f;  // of the norms of what is compressed; the originals fix it
  bool operator==(const MlaHparams&) const = default;
};

struct Hparams {
  std::string_view arch;  // GGUF name of the family
  bool hf_rows = false;   // Q and K rows stand in Hugging Face's order, not in GGUF's
  int n_vocab = 0;
  int n_ctx_train = 0;
  int n_embd = 0;
  int n_layer = 0;
  int n_head = 0;
  int n_head_kv = 0;
  int d_k = 0;  // of one head
  int d_v = 0;
  int n_ff = 0;
  float eps = 1e-5f;
  bool tied = false;  // the output matrix is the token embedding
  RopeHparams rope;
  RopeHparams rope_swa;       // of the layers with a window, where it differs
  int window = 0;             // a position sees itself and the window - 1 before it
  std::vector<bool> sliding;  // [n_layer] layers with a window (or chunks)
  std::vector<bool> no_rope;  // [n_layer] layers without positions; empty: none
  float attn_scale = 0;       // 0: 1 / sqrt(d_k)
  float attn_softcap = 0;
  float logit_softcap = 0;
  float logit_scale = 1;  // logits are multiplied
  float embedding_scale = 1;
  float residual_scale = 1;
  Activation activation = Activation::kSilu;
  float clamp_kqv = 0;
  float temperature_beta =
      0;  // queries are scaled by ln(floor((p + offset) / floor) + 1) * beta + 1
  float temperature_floor = 0;
  float temperature_offset = 0;
  MoeHparams moe;
  std::vector<bool> moe_layer;  // [n_layer] layers with experts; empty: all or none, by n_expert
  MlaHparams mla;
  bool parallel = false;  // attention and feed-forward read the same residual
  bool alibi = false;
  bool qk_norm = false;
  bool bias = false;         // of the linear layers
  bool grouped_qkv = false;  // fused rows stand by KV head: its queries, its key, its value

  bool operator==(const Hparams&) const = default;
  bool is_sliding(int layer) const { return !sliding.empty() && sliding[layer]; }
  bool has_rope(int layer) const { return no_rope.empty() || !no_rope[layer]; }
  bool is_moe(int layer) const {
    return moe.n_expert > 0 && (moe_layer.empty() || moe_layer[layer]);
  }
};

}  // namespace nibble
