// Falcon 7B, 11B, 40B and 180B (parallel branches, few KV heads) and Falcon-RW (ALiBi, serial,
// biases). arXiv:2311.16867. GELU is the exact one, as in the original. ALiBi's slopes and what they
// add to the scores are exact too, where the original rounds them to bfloat16.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kDefaults =
    R"({"layer_norm_epsilon": 1e-5, "max_position_embeddings": 2048, "vocab_size": 65024,
        "activation": "gelu", "alibi": false, "multi_query": true, "parallel_attn": true,
        "new_decoder_architecture": false, "tie_word_embeddings": true})";
// The first published 40B names its decoder by its model type alone.
constexpr std::string_view kFirst40B = "RefinedWeb";

Result<Hparams> read(const HparamsSource& source) {
  const HparamsReader reader(source, "falcon");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kGeluErf));
  NIBBLE_TRY(h.parallel, reader.flag_or("use_parallel_residual", true));
  NIBBLE_TRY(h.alibi, reader.flag_or("use_alibi", false));
  h.grouped_qkv = h.hf_rows;
  return h;
}

// Two norms for the parallel branches (40B): ln_attn is GGUF's attn_norm_2, ln_mlp its attn_norm.
std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding("transformer.word_embeddings");
  const int n_qkv = (h.n_head + 2 * h.n_head_kv) * h.d_k;
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i, "transformer.h.").norm("attn_norm", "ln_mlp|input_layernorm", h.n_embd);
    t.norm("attn_norm_2", "ln_attn", h.n_embd, Fix::kNone, false);
    t.linear("attn_qkv", "self_attention.query_key_value", n_qkv, h.n_embd, Fix::kGroupedQkv);
    t.linear("attn_output", "self_attention.dense", h.n_embd, h.n_head * h.d_v);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd, Fix::kNone, !h.parallel);
    t.linear("ffn_up", "mlp.dense_h_to_4h", h.n_ff, h.n_embd);
    t.linear("ffn_down", "mlp.dense_4h_to_h", h.n_embd, h.n_ff);
  }
  return t.output("transformer.ln_f").take();
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.norm = NormKind::kLayer;
  o.gated = false;
  o.alibi_scaled = true;
  return o;
}

Result<Metadata> read_config(const Json& config) {
  ConfigKeys keys(config, "falcon", kDefaults);
  keys.sizes().rope().activation({"activation"});
  const int64_t n_head = keys.integer({"num_attention_heads", "n_head"}, 0);
  const bool grouped = keys.flag({"new_decoder_architecture"}, false) ||
                       keys.text({"model_type"}, "falcon") == kFirst40B;
  const int64_t n_head_kv = grouped ? keys.integer({"num_kv_heads", "n_head_kv"}, n_head)
                            : keys.flag({"multi_query"}, true) ? 1
                                                               : n_head;
  keys.set_count("attention.head_count_kv", n_head_kv);
  if (!keys.find({"ffn_hidden_size"}))
    keys.set_count("feed_forward_length", 4 * keys.integer({"hidden_size", "n_embd"}, 0));
  if (!grouped && !keys.flag({"parallel_attn"}, true))
    keys.set_flag("use_parallel_residual", false);
  keys.set_flag("use_alibi", keys.flag({"alibi"}, false));
  keys.set_text("tensor_data_layout", "jploski");  // as GGUF files of this family say
  return keys.take();
}

const Architecture kFalcon{
    .gguf_name = "falcon",
    .hf_classes = {"FalconForCausalLM", "RWForCausalLM"},
    .read_config = read_config,
    .read_hparams = read,
    .tensors = tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2,
                 "vocab_size": 96, "max_position_embeddings": 256, "num_kv_heads": 2,
                 "new_decoder_architecture": true})",
             R"({"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2,
                 "vocab_size": 96, "max_position_embeddings": 256, "alibi": true,
                 "multi_query": false, "parallel_attn": false})"},
    .hf_configs = {R"({"architectures": ["FalconForCausalLM"], "model_type": "falcon",
                    "hidden_size": "$n_embd", "ffn_hidden_size": "$n_ff",
                    "num_hidden_layers": "$n_layer", "num_attention_heads": "$n_head",
                    "vocab_size": "$n_vocab", "max_position_embeddings": "$n_ctx",
                    "layer_norm_epsilon": "$eps", "rope_theta": "$rope_theta",
                    "rope_scaling": "$rope_scaling", "activation": "$activation",
                    "alibi": "$alibi", "bias": "$attn_bias", "tie_word_embeddings": "$tied",
                    "$has": "blk.0.attn_norm_2.weight", "new_decoder_architecture": true,
                    "num_kv_heads": "$n_head_kv", "multi_query": true, "parallel_attn": true,
                    "num_ln_in_parallel_attn": 2})",
                   R"({"architectures": ["FalconForCausalLM"], "model_type": "falcon",
                    "hidden_size": "$n_embd", "ffn_hidden_size": "$n_ff",
                    "num_hidden_layers": "$n_layer", "num_attention_heads": "$n_head",
                    "vocab_size": "$n_vocab", "max_position_embeddings": "$n_ctx",
                    "layer_norm_epsilon": "$eps", "rope_theta": "$rope_theta",
                    "rope_scaling": "$rope_scaling", "activation": "$activation",
                    "alibi": "$alibi", "bias": "$attn_bias", "tie_word_embeddings": "$tied",
                    "$lacks": "blk.0.attn_norm_2.weight", "$names": ["input_layernorm"],
                    "new_decoder_architecture": false, "multi_query": true,
                    "parallel_attn": "$parallel"})",
                   R"({"architectures": ["FalconForCausalLM"], "model_type": "falcon",
                    "hidden_size": "$n_embd", "ffn_hidden_size": "$n_ff",
                    "num_hidden_layers": "$n_layer", "num_attention_heads": "$n_head",
                    "vocab_size": "$n_vocab", "max_position_embeddings": "$n_ctx",
                    "layer_norm_epsilon": "$eps", "rope_theta": "$rope_theta",
                    "rope_scaling": "$rope_scaling", "activation": "$activation",
                    "alibi": "$alibi", "bias": "$attn_bias", "tie_word_embeddings": "$tied",
                    "$lacks": "blk.0.attn_norm_2.weight", "$names": ["input_layernorm"],
                    "new_decoder_architecture": false, "multi_query": false,
                    "parallel_attn": "$parallel"})",
                   R"({"architectures": ["FalconForCausalLM"], "model_type": "falcon",
                    "hidden_size": "$n_embd", "ffn_hidden_size": "$n_ff",
                    "num_hidden_layers": "$n_layer", "num_attention_heads": "$n_head",
                    "vocab_size": "$n_vocab", "max_position_embeddings": "$n_ctx",
                    "layer_norm_epsilon": "$eps", "rope_theta": "$rope_theta",
                    "rope_scaling": "$rope_scaling", "activation": "$activation",
                    "alibi": "$alibi", "bias": "$attn_bias", "tie_word_embeddings": "$tied",
                    "$lacks": "blk.0.attn_norm_2.weight", "$names": ["input_layernorm"],
                    "new_decoder_architecture": true, "num_kv_heads": "$n_head_kv",
                    "multi_query": true, "parallel_attn": true, "num_ln_in_parallel_attn": 1})"},
};
const RegisterArchitecture registered(kFalcon);

}  // namespace
}  // namespace nibble
