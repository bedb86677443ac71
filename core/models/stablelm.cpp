// StableLM 3B and StableLM 2: LayerNorm, a quarter of each head rotated; the 12B has norms of heads
// and parallel branches that share a norm. arXiv:2402.17834.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kDefaults =
    R"({"layer_norm_eps": 1e-5, "max_position_embeddings": 4096, "vocab_size": 50304,
        "num_key_value_heads": 32, "partial_rotary_factor": 0.25, "use_parallel_residual": false,
        "qk_layernorm": false})";

Result<Hparams> read(const HparamsSource& source) {
  const HparamsReader reader(source, "stablelm");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kSilu));
  // GGUF's key is not to be trusted: converters wrote true for sequential models. The second norm
  // tells.
  NIBBLE_TRY(const bool parallel, reader.flag_or("use_parallel_residual", false));
  h.parallel = source.gguf ? !source.has("blk.0.ffn_norm.weight", false) : parallel;
  NIBBLE_TRY(const bool qk_norm, reader.flag_or("attention.qk_norm", false));
  h.qk_norm = source.has("blk.0.attn_q_norm.weight", qk_norm);
  return h;
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    if (h.qk_norm) {
      t.add({.gguf_name = "attn_q_norm.weight",
             .hf_name = "self_attn.q_layernorm.norms.{h}.weight",
             .shape = shape_of({h.n_head, h.d_k})});
      t.add({.gguf_name = "attn_k_norm.weight",
             .hf_name = "self_attn.k_layernorm.norms.{h}.weight",
             .shape = shape_of({h.n_head_kv, h.d_k})});
    }
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd, Fix::kNone, !h.parallel).gated_ffn();
  }
  return t.output().take();
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.norm = NormKind::kLayer;
  if (h.qk_norm) o.qk_norm = QkNorm::kHeadLayer;
  return o;
}

Result<Metadata> read_config(const Json& config) {
  ConfigKeys keys(config, "stablelm", kDefaults);
  keys.sizes().partial_rope().activation({"hidden_act"});
  keys.set_flag("use_parallel_residual", keys.flag({"use_parallel_residual"}, false));
  keys.set_flag("attention.qk_norm", keys.flag({"qk_layernorm"}, false));
  return keys.take();
}

const Architecture kStableLm{
    .gguf_name = "stablelm",
    .hf_classes = {"StableLmForCausalLM", "StableLMEpochForCausalLM"},
    .read_config = read_config,
    .read_hparams = read,
    .tensors = tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 4, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256})",
             R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "qk_layernorm": true,
                 "use_parallel_residual": true})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["StableLmForCausalLM"],
                    "model_type": "stablelm", "rms_norm_eps": "$drop",
                    "layer_norm_eps": "$eps", "partial_rotary_factor": "$partial",
                    "use_qkv_bias": "$attn_bias", "qk_layernorm": "$qk_norm",
                    "use_parallel_residual": "$parallel"})"},
};
const RegisterArchitecture registered(kStableLm);

}  // namespace
}  // namespace nibble
