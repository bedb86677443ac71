// A model's weights by role. Matrices are views of the file's bytes; norms and biases are f32
// copies, made once. Where a folder stores a matrix so that no view serves (transposed, say), the
// copy is owned here.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/models/architecture.h"
#include "core/models/lora.h"
#include "core/models/tensor_source.h"
#include "core/ops/matmul.h"

namespace nibble {

struct Linear {
  Matrix w;
  const float* bias = nullptr;  // [w.n_rows]

  explicit operator bool() const { return static_cast<bool>(w); }
};

struct Norm {
  const float* weight = nullptr;
  const float* bias = nullptr;
};

struct ExpertWeights {
  std::vector<Matrix> w;        // of each expert (or head)
  const float* bias = nullptr;  // [n_expert, w.n_rows]

  explicit operator bool() const { return !w.empty(); }
};

struct LayerWeights {
  Norm attn_norm, attn_norm_2, post_attention_norm, ffn_norm, post_ffw_norm;
  Norm attn_q_norm, attn_k_norm, attn_q_a_norm, attn_kv_a_norm;
  Linear attn_q, attn_k, attn_v, attn_qkv, attn_output;
  Linear attn_q_a, attn_q_b, attn_kv_a_mqa;
  ExpertWeights attn_k_b, attn_v_b;  // of each head: [kv_lora, d_nope] and [d_v, kv_lora]
  Linear ffn_gate, ffn_up, ffn_down;
  Linear ffn_gate_inp, ffn_gate_inp_shexp, ffn_gate_shexp, ffn_up_shexp, ffn_down_shexp;
  ExpertWeights ffn_gate_exps, ffn_up_exps, ffn_down_exps;
  Norm attn_sinks, exp_probs_b;  // attn_sinks.weight [n_head], exp_probs_b.bias [n_expert]
};

struct Weights {
  Linear token_embd, position_embd, output;
  Norm output_norm;
  Norm rope_freqs, rope_factors_long, rope_factors_short;
  std::vector<LayerWeights> layers;

  uint64_t n_params = 0;
  uint64_t n_bytes = 0;          // of all tensors in use
  uint64_t bytes_per_token = 0;  // that one generated token reads
  uint64_t bytes_per_batch = 0;  // that many tokens together read: every expert
  uint64_t macs_per_token = 0;   // multiply-adds with weights, the output's included
  int max_rank = 0;              // of the changes beside the matrices
  OwnedParts owned;

  // Each weight matrix once, with the GGUF tensor it comes from, of which it is the i-th of n.
  using MatrixVisitor =
      FunctionRef<void(std::string_view tensor, size_t i, size_t n, const Matrix& matrix)>;
  void visit(MatrixVisitor visitor) const;

  // Finds each tensor of the table in the file (in a folder by its Hugging Face name), checks shape
  // and format, and makes the views. Fails (kCorrupt) naming the tensor, what was expected and what
  // is there. lora, which must outlive the weights: of single matrices; kInvalidInput where the
  // file does not store one that is changed.
  static Result<Weights> load(const WeightFile& file, const Hparams& hparams,
                              const std::vector<TensorSpec>& table, const LoraWeights& lora);
  static Result<Weights> load(const WeightFile& file, const Hparams& hparams,
                              const std::vector<TensorSpec>& table);
};

}  // namespace nibble
