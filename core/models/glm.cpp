// GLM 4: half of each head rotated in pairs, gate and up in one matrix; the 0414 models (glm4) norm
// branches before and after, the earlier ones (chatglm) before only. arXiv:2406.12793.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kDefaults =
    R"({"rms_norm_eps": 1.5625e-7, "max_position_embeddings": 131072, "vocab_size": 151552,
        "num_key_value_heads": 2, "head_dim": 128, "partial_rotary_factor": 0.5})";

Result<Hparams> read_glm4(const HparamsSource& source) {
  return HparamsReader(source, "glm4").common(Rotation::kAdjacent, Activation::kSilu);
}
Result<Hparams> read_chatglm(const HparamsSource& source) {
  return HparamsReader(source, "chatglm").common(Rotation::kAdjacent, Activation::kSilu);
}

std::vector<TensorSpec> tensors(const Hparams& h, bool sandwich) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    if (sandwich) t.norm("post_attention_norm", "post_self_attn_layernorm", h.n_embd);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    t.linear("ffn_up", "mlp.gate_up_proj", 2 * h.n_ff, h.n_embd);
    t.linear("ffn_down", "mlp.down_proj", h.n_embd, h.n_ff);
    if (sandwich) t.norm("post_ffw_norm", "post_mlp_layernorm", h.n_embd);
  }
  return t.output().take();
}
std::vector<TensorSpec> glm4_tensors(const Hparams& h) { return tensors(h, true); }
std::vector<TensorSpec> chatglm_tensors(const Hparams& h) { return tensors(h, false); }

BlockOptions glm4_block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.post_norm = true;
  return o;
}

Result<Metadata> glm4_config(const Json& config) {
  ConfigKeys keys(config, "glm4", kDefaults);
  return keys.sizes().partial_rope().activation({"hidden_act"}).take();
}
Result<Metadata> chatglm_config(const Json& config) {
  ConfigKeys keys(config, "chatglm", kDefaults);
  return keys.sizes().partial_rope().activation({"hidden_act"}).take();
}

constexpr std::string_view kTiny =
    R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
        "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96, "head_dim": 16,
        "max_position_embeddings": 256})";
const Architecture kGlm4{
    .gguf_name = "glm4",
    .hf_classes = {"Glm4ForCausalLM"},
    .read_config = glm4_config,
    .read_hparams = read_glm4,
    .tensors = glm4_tensors,
    .block = glm4_block,
    .tiny = {kTiny},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Glm4ForCausalLM"],
                    "model_type": "glm4", "partial_rotary_factor": "$partial",
                    "attention_bias": "$attn_bias"})"},
};
const Architecture kChatGlm{
    .gguf_name = "chatglm",
    .hf_classes = {"GlmForCausalLM"},
    .read_config = chatglm_config,
    .read_hparams = read_chatglm,
    .tensors = chatglm_tensors,
    .block = common_block,
    .tiny = {kTiny},
    .hf_configs = {R"({"$include": "shared", "architectures": ["GlmForCausalLM"],
                    "model_type": "glm", "partial_rotary_factor": "$partial",
                    "attention_bias": "$attn_bias"})"},
};
const RegisterArchitecture registered[] = {RegisterArchitecture(kGlm4),
                                           RegisterArchitecture(kChatGlm)};

}  // namespace
}  // namespace nibble
