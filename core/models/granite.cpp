// Granite 3, dense and with experts: Llama with scales on embeddings, scores, branches and logits.
// IBM, Granite 3.0 Language Models, 2024.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kDefaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 2048, "vocab_size": 32000,
        "embedding_multiplier": 1.0, "logits_scaling": 1.0, "residual_multiplier": 1.0,
        "attention_multiplier": 1.0, "num_local_experts": 8, "num_experts_per_tok": 2})";

Result<Hparams> read(const HparamsSource& source, std::string_view arch) {
  const HparamsReader reader(source, arch);
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kPermuted, Activation::kSilu));
  h.moe.normalize = true;
  if (h.logit_scale != 0) h.logit_scale = 1 / h.logit_scale;  // the key is a divisor
  return h;
}
Result<Hparams> read_granite(const HparamsSource& s) { return read(s, "granite"); }
Result<Hparams> read_granitemoe(const HparamsSource& s) { return read(s, "granitemoe"); }

// A fused [2 * n_ff, n_embd], gate first, in half.
void half(TensorTable& t, std::string_view gguf, std::string_view hf, Shape shape, int part) {
  t.add({.gguf_name = std::string(gguf),
         .hf_name = std::string(hf),
         .shape = shape,
         .part = part,
         .n_parts = 2});
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
    const MoeHparams& m = h.moe;
    const Shape wide = shape_of({m.n_expert, m.n_ff, h.n_embd});
    t.linear("ffn_gate_inp", "block_sparse_moe.router.layer", m.n_expert, h.n_embd);
    half(t, "ffn_gate_exps.weight", "block_sparse_moe.input_linear.weight", wide, 0);
    half(t, "ffn_up_exps.weight", "block_sparse_moe.input_linear.weight", wide, 1);
    t.add({.gguf_name = "ffn_down_exps.weight",
           .hf_name = "block_sparse_moe.output_linear.weight",
           .shape = shape_of({m.n_expert, h.n_embd, m.n_ff})});
    if (m.n_ff_shared == 0) continue;
    const Shape shared = shape_of({m.n_ff_shared, h.n_embd});
    half(t, "ffn_gate_shexp.weight", "shared_mlp.input_linear.weight", shared, 0);
    half(t, "ffn_up_shexp.weight", "shared_mlp.input_linear.weight", shared, 1);
    t.linear("ffn_down_shexp", "shared_mlp.output_linear", h.n_embd, m.n_ff_shared);
  }
  return t.output().take();
}

ConfigKeys& common(ConfigKeys& keys) {
  keys.sizes().rope().activation({"hidden_act"});
  return keys.number_key("attention.scale", {"attention_multiplier"})
      .number_key("embedding_scale", {"embedding_multiplier"})
      .number_key("residual_scale", {"residual_multiplier"})
      .number_key("logit_scale", {"logits_scaling"});
}
Result<Metadata> granite_config(const Json& config) {
  ConfigKeys keys(config, "granite", kDefaults);
  return common(keys).take();
}
Result<Metadata> granitemoe_config(const Json& config) {
  ConfigKeys keys(config, "granitemoe", kDefaults);
  return common(keys)
      .experts()
      .count("expert_shared_feed_forward_length", {"shared_intermediate_size"})
      .take();
}

const Architecture kGranite{
    .gguf_name = "granite",
    .hf_classes = {"GraniteForCausalLM"},
    .read_config = granite_config,
    .read_hparams = read_granite,
    .tensors = tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "attention_multiplier": 0.125,
                 "embedding_multiplier": 12.0, "residual_multiplier": 0.4, "logits_scaling": 2.0})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["GraniteForCausalLM"],
                    "model_type": "granite", "attention_multiplier": "$attn_scale",
                    "embedding_multiplier": "$embedding_scale",
                    "residual_multiplier": "$residual_scale",
                    "logits_scaling": "$logit_divisor", "attention_bias": "$attn_bias",
                    "mlp_bias": "$mlp_bias"})"},
};
const Architecture kGraniteMoe{
    .gguf_name = "granitemoe",
    .hf_classes = {"GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM"},
    .read_config = granitemoe_config,
    .read_hparams = read_granitemoe,
    .tensors = tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 32, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "attention_multiplier": 0.125,
                 "embedding_multiplier": 12.0, "residual_multiplier": 0.4, "logits_scaling": 2.0,
                 "num_local_experts": 6, "num_experts_per_tok": 2,
                 "shared_intermediate_size": 32})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["GraniteMoeForCausalLM"],
                    "model_type": "granitemoe", "attention_multiplier": "$attn_scale",
                    "embedding_multiplier": "$embedding_scale",
                    "residual_multiplier": "$residual_scale",
                    "logits_scaling": "$logit_divisor", "attention_bias": "$attn_bias",
                    "num_local_experts": "$n_expert", "num_experts_per_tok": "$n_expert_used",
                    "$lacks": "blk.0.ffn_up_shexp.weight"})",
                   R"({"$include": "shared", "architectures": ["GraniteMoeSharedForCausalLM"],
                    "model_type": "granitemoeshared", "attention_multiplier": "$attn_scale",
                    "embedding_multiplier": "$embedding_scale",
                    "residual_multiplier": "$residual_scale",
                    "logits_scaling": "$logit_divisor", "attention_bias": "$attn_bias",
                    "num_local_experts": "$n_expert", "num_experts_per_tok": "$n_expert_used",
                    "shared_intermediate_size": "$n_ff_shared"})"},
};
const RegisterArchitecture registered[] = {RegisterArchitecture(kGranite),
                                           RegisterArchitecture(kGraniteMoe)};

}  // namespace
}  // namespace nibble
