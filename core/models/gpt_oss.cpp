// gpt-oss 20B and 120B: experts with biases and a clamped SwiGLU, attention sinks, windows on every
// other layer, YaRN whose range is not rounded. OpenAI, gpt-oss model card, arXiv:2508.10925.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr int kPeriod = 2;  // every other layer sees everything
constexpr float kLimit = 7;
constexpr double kAlpha = 1.702;  // of the sigmoid in SwiGLU
constexpr std::string_view kDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 131072, "vocab_size": 201088,
        "num_key_value_heads": 8, "head_dim": 64, "sliding_window": 128, "rope_theta": 150000.0,
        "num_local_experts": 128, "num_experts_per_tok": 4,
        "rope_parameters": {"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0,
        "truncate": false, "original_max_position_embeddings": 4096}})";

Result<Hparams> read(const HparamsSource& source) {
  const HparamsReader reader(source, "gpt-oss");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kSilu));
  // GGUF files do not say it; all published models leave the range as it is.
  NIBBLE_TRY(h.rope.truncate, reader.flag_or("rope.scaling.truncate", !source.gguf));
  h.rope_swa = h.rope;
  h.moe.gating = ExpertGating::kSoftmaxChosen;
  NIBBLE_TRY(h.sliding, reader.windows(h.n_layer, kPeriod));
  return h;
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  const MoeHparams& m = h.moe;
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    t.add({.gguf_name = "attn_sinks.weight",
           .hf_name = "self_attn.sinks",
           .shape = shape_of({h.n_head})});
    t.norm("post_attention_norm", "post_attention_layernorm", h.n_embd);
    t.linear("ffn_gate_inp", "mlp.router", m.n_expert, h.n_embd);
    for (const int part : {0, 1}) {
      const char* role = part ? "up" : "gate";
      t.add({.gguf_name = fmt::format("ffn_{}_exps.weight", role),
             .hf_name = "mlp.experts.gate_up_proj|mlp.experts.gate_up_proj_blocks",
             .shape = shape_of({m.n_expert, m.n_ff, h.n_embd}),
             .fix = Fix::kTranspose,
             .part = part,
             .n_parts = 2,
             .interleaved = true});
      t.add({.gguf_name = fmt::format("ffn_{}_exps.bias", role),
             .hf_name = "mlp.experts.gate_up_proj_bias",
             .shape = shape_of({m.n_expert, m.n_ff}),
             .part = part,
             .n_parts = 2,
             .interleaved = true});
    }
    t.add({.gguf_name = "ffn_down_exps.weight",
           .hf_name = "mlp.experts.down_proj|mlp.experts.down_proj_blocks",
           .shape = shape_of({m.n_expert, h.n_embd, m.n_ff}),
           .fix = Fix::kTranspose});
    t.add({.gguf_name = "ffn_down_exps.bias",
           .hf_name = "mlp.experts.down_proj_bias",
           .shape = shape_of({m.n_expert, h.n_embd})});
  }
  return t.output().take();
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.clamp_gate = kLimit;
  return o;
}

Result<Metadata> read_config(const Json& config) {
  ConfigKeys keys(config, "gpt-oss", kDefaults);
  keys.sizes().rope().window_layers().experts();
  const double limit = keys.number({"swiglu_limit"}, kLimit);
  keys.refuse(limit != kLimit, fmt::format("swiglu_limit {}, expected {}", limit, kLimit));
  const double alpha = keys.number({"swiglu_alpha"}, kAlpha);
  keys.refuse(alpha != kAlpha, fmt::format("swiglu_alpha {}, expected {}", alpha, kAlpha));
  return keys.count("expert_feed_forward_length", {"intermediate_size"}).take();
}

const Architecture kGptOss{
    .gguf_name = "gpt-oss",
    .hf_classes = {"GptOssForCausalLM"},
    .read_config = read_config,
    .read_hparams = read,
    .tensors = tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 4, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256, "sliding_window": 20, "num_local_experts": 4,
                 "num_experts_per_tok": 2, "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
                 "original_max_position_embeddings": 32, "truncate": false}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["GptOssForCausalLM"],
                    "model_type": "gpt_oss", "hidden_act": "silu",
                    "sliding_window": "$window", "layer_types": "$layer_types",
                    "num_local_experts": "$n_expert", "num_experts_per_tok": "$n_expert_used",
                    "intermediate_size": "$n_ff_expert", "swiglu_limit": 7.0,
                    "attention_bias": true})"},
};
const RegisterArchitecture registered(kGptOss);

}  // namespace
}  // namespace nibble
