// OLMo 2 and 3: norms after the branches only, RMS norms over all queries and all keys; 3 has
// windows on three layers of four, and scales the rotation of the others only. arXiv:2501.00656.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr int kPeriod = 4;  // each fourth layer of OLMo 3 sees everything
constexpr std::string_view kDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 2048, "vocab_size": 50304})";
constexpr std::string_view kOlmo3Defaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 2048, "vocab_size": 50304,
        "sliding_window": 4096})";

Result<Hparams> read(const HparamsSource& source) {
  const HparamsReader reader(source, "olmo2");
  NIBBLE_TRY(Hparams h, reader.common());
  set_rope_pairs(h, RopePairs::kHalves);
  NIBBLE_TRY(h.activation, reader.activation_or(Activation::kSilu));
  h.rope_swa.scaling = RopeScaling::kNone;
  h.rope_swa.magnitude = 1;
  NIBBLE_TRY(h.sliding, reader.layer_flags("attention.sliding_window_pattern", h.n_layer));
  if (h.sliding.empty() && h.window > 0) h.sliding = all_but_each(h.n_layer, kPeriod);
  return h;
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).attention(Fix::kNone);
    t.norm("attn_q_norm", "self_attn.q_norm", h.n_head * h.d_k);
    t.norm("attn_k_norm", "self_attn.k_norm", h.n_head_kv * h.d_k);
    t.norm("post_attention_norm", "post_attention_layernorm", h.n_embd);
    t.gated_ffn().norm("post_ffw_norm", "post_feedforward_layernorm", h.n_embd);
  }
  return t.output().take();
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.pre_norm = false;
  o.post_norm = true;
  o.qk_norm = QkNorm::kProjection;
  return o;
}

Result<Metadata> read_config(const Json& config) {
  const std::string type = ConfigKeys(config, "olmo2", "{}").text({"model_type"}, "olmo2");
  ConfigKeys keys(config, "olmo2", type == "olmo3" ? kOlmo3Defaults : kDefaults);
  keys.sizes().rope().activation({"hidden_act"});
  if (type == "olmo3") keys.window();
  return keys.take();
}

const Architecture kOlmo2{
    .gguf_name = "olmo2",
    .hf_classes = {"Olmo2ForCausalLM", "Olmo3ForCausalLM"},
    .read_config = read_config,
    .read_hparams = read,
    .tensors = tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256})",
             R"({"model_type": "olmo3", "hidden_size": 64, "intermediate_size": 96,
                 "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 4,
                 "vocab_size": 96, "max_position_embeddings": 256, "sliding_window": 20,
                 "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
                 "original_max_position_embeddings": 32}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Olmo2ForCausalLM"],
                    "model_type": "olmo2", "attention_bias": "$attn_bias"})",
                   R"({"$include": "shared", "architectures": ["Olmo3ForCausalLM"],
                    "model_type": "olmo3", "attention_bias": "$attn_bias",
                    "sliding_window": "$window", "layer_types": "$layer_types"})"},
};
const RegisterArchitecture registered(kOlmo2);

}  // namespace
}  // namespace nibble
