// Llama 1 to 3 and what is built like them: Mistral, Mixtral, Yi, SmolLM 1 and 2, DeepSeek LLM and
// its distills. Touvron 2023, arXiv:2302.13971; Jiang 2024, arXiv:2401.04088 (Mixtral).
#include "core/models/blocks.h"

namespace nibble {
namespace {

Result<Hparams> read_hparams(const HparamsSource& source) {
  const HparamsReader reader(source, "llama");
  NIBBLE_TRY(Hparams h, reader.common());
  set_rope_pairs(h, pairs_of_permuted(h));
  h.moe.normalize = true;
  if (h.window > 0) {
    NIBBLE_TRY(h.sliding, reader.layer_flags("attention.sliding_window_pattern", h.n_layer));
    if (h.sliding.empty()) h.sliding.assign(h.n_layer, true);
  }
  return h;
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kRopeRows);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    if (!h.is_moe(i)) {
      t.gated_ffn();
      continue;
    }
    t.experts("block_sparse_moe.gate", "block_sparse_moe.experts.{e}.w1.weight",
              "block_sparse_moe.experts.{e}.w3.weight", "block_sparse_moe.experts.{e}.w2.weight");
  }
  longrope_factors(t, h);
  return t.output().take();
}

const Architecture kLlama{
    .gguf_name = "llama",
    .hf_classes = {"LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM",
                   "MixtralForCausalLM", "MinistralForCausalLM", "InternLM3ForCausalLM"},
    .read_config = nullptr,
    .read_hparams = read_hparams,
    .tensors = tensors,
    .block = common_block,
    .tiny = {},
};
const RegisterArchitecture registered(kLlama);

}  // namespace
}  // namespace nibble
