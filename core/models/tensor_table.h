// Builds a family's table of tensors. Each call is one tensor role: GGUF's name, Hugging Face's
// name, size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/models/architecture.h"

namespace nibble {

class TensorTable {
 public:
  explicit TensorTable(const Hparams& hparams) : h_(hparams) {}

  // The names that follow are of layer i; hf_prefix is what stands before its Hugging Face names.
  TensorTable& layer(int i, std::string_view hf_prefix = "model.layers.");
  // The names that follow are of the whole model.
  TensorTable& model();

  // NAME.weight [n_rows, n_cols] and NAME.bias [n_rows], which is loaded where it is there.
  TensorTable& linear(std::string_view gguf, std::string_view hf, int n_rows, int n_cols,
                      Fix fix = Fix::kNone, bool required = true);
  // NAME.weight [n] and, where it is there, NAME.bias [n].
  TensorTable& norm(std::string_view gguf, std::string_view hf, int n, Fix fix = Fix::kNone,
                    bool required = true);
  // Any one.
  TensorTable& add(TensorSpec spec);

  // Roles that many families share, under the names of Llama's Hugging Face layout.
  TensorTable& embedding(std::string_view hf = "model.embed_tokens");
  TensorTable& output(std::string_view norm_hf = "model.norm", std::string_view hf = "lm_head",
                      Fix norm_fix = Fix::kNone);
  TensorTable& attention(Fix rope_rows, std::string_view hf = "self_attn.");  // q, k, v, output
  TensorTable& gated_ffn(std::string_view hf = "mlp.");                       // gate, up, down
  // The router and {gate,up,down} of each expert; hf names each by "{e}". stacks_hf: what stands
  // before the names of tensors for all experts; empty: what stands before "{e}".
  TensorTable& experts(std::string_view router_hf, std::string_view gate_hf, std::string_view up_hf,
                       std::string_view down_hf, std::string_view stacks_hf = {});
  TensorTable& shared_expert(std::string_view hf);

  // And the divisors of the rotary frequencies, which GGUF files of any family may have.
  std::vector<TensorSpec> take();

 private:
  std::string hf(std::string_view names, std::string_view suffix) const;

  const Hparams& h_;
  std::string gguf_prefix_;
  std::string hf_prefix_;
  std::vector<TensorSpec> specs_;
};

// Shape{..} in one word.
Shape shape_of(std::initializer_list<int64_t> dims);

}  // namespace nibble
