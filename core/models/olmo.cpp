// OLMo 1 (olmo): Llama's block under LayerNorm without weights, queries, keys and values clipped in
// some sizes. OLMoE (olmoe): RMS norms over all queries and all keys, a mixture of experts whose
// weights are not made to sum to one. OLMo 2 and 3 (olmo2): norms after the branches only; 3 has
// windows on three layers of four, and scales the rotation of the others only. arXiv:2402.00838,
// arXiv:2409.02060, arXiv:2501.00656.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr int kPeriod = 4;  // each fourth layer of OLMo 3 sees everything
constexpr std::string_view kOlmo1Defaults =
    R"({"layer_norm_eps": 1e-5, "max_position_embeddings": 2048, "vocab_size": 50304})";
constexpr std::string_view kOlmoeDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 4096, "vocab_size": 50304,
        "num_experts": 64, "num_experts_per_tok": 8})";
constexpr std::string_view kDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 2048, "vocab_size": 50304})";
constexpr std::string_view kOlmo3Defaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 2048, "vocab_size": 50304,
        "sliding_window": 4096, "rope_theta": 5e5})";

Result<Hparams> read_olmo1(const HparamsSource& source) {
  return HparamsReader(source, "olmo").common(Rotation::kPermuted, Activation::kSilu);
}

Result<Hparams> read_olmoe(const HparamsSource& source) {
  const HparamsReader reader(source, "olmoe");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kSilu));
  NIBBLE_TRY(h.moe.normalize, reader.flag_or("expert_weights_norm", false));
  return h;
}

Result<Hparams> read(const HparamsSource& source) {
  const HparamsReader reader(source, "olmo2");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kSilu));
  NIBBLE_TRY(h.rope_swa.base, reader.rope_base("rope.freq_base_swa", h.rope.base));
  unscale(h.rope_swa);
  if (h.window > 0) {
    NIBBLE_TRY(h.sliding, reader.windows(h.n_layer, kPeriod));
  }
  return h;
}

std::vector<TensorSpec> olmo1_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) t.layer(i).attention(Fix::kRopeRows).gated_ffn();
  t.model();
  if (!h.tied) t.linear("output", "lm_head", h.n_vocab, h.n_embd, Fix::kNone, h.hf_rows);
  return t.take();
}

std::vector<TensorSpec> olmoe_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    t.norm("attn_q_norm", "self_attn.q_norm", h.n_head * h.d_k);
    t.norm("attn_k_norm", "self_attn.k_norm", h.n_head_kv * h.d_k);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    t.experts("mlp.gate", "mlp.experts.{e}.gate_proj.weight", "mlp.experts.{e}.up_proj.weight",
              "mlp.experts.{e}.down_proj.weight");
  }
  return t.output().take();
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

BlockOptions olmo1_block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.norm = NormKind::kLayer;
  return o;
}

BlockOptions olmoe_block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.qk_norm = QkNorm::kProjection;
  return o;
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.pre_norm = false;
  o.post_norm = true;
  o.qk_norm = QkNorm::kProjection;
  return o;
}

Result<Metadata> olmo1_config(const Json& config) {
  ConfigKeys keys(config, "olmo", kOlmo1Defaults);
  keys.sizes().rope().activation({"hidden_act"});
  return keys.number_key("attention.clamp_kqv", {"clip_qkv"}).take();
}

Result<Metadata> olmoe_config(const Json& config) {
  ConfigKeys keys(config, "olmoe", kOlmoeDefaults);
  keys.sizes().rope().activation({"hidden_act"}).experts();
  keys.set_flag("expert_weights_norm", keys.flag({"norm_topk_prob"}, false));
  // It would clip after the norms; no published model does.
  keys.refuse(keys.find({"clip_qkv"}), "clip_qkv of OLMoE is not built in");
  return keys.take();
}

Result<Metadata> read_config(const Json& config) {
  const std::string type = ConfigKeys(config, "olmo2", "{}").text({"model_type"}, "olmo2");
  ConfigKeys keys(config, "olmo2", type == "olmo3" ? kOlmo3Defaults : kDefaults);
  keys.sizes().activation({"hidden_act"});
  if (type != "olmo3") return keys.rope().take();
  if (const double theta = keys.rope_of_kinds().window_layers().window_theta(0); theta != 0)
    keys.set_number("rope.freq_base_swa", theta);
  return keys.take();
}

const Architecture kOlmo1{
    .gguf_name = "olmo",
    .hf_classes = {"OlmoForCausalLM"},
    .read_config = olmo1_config,
    .read_hparams = read_olmo1,
    .tensors = olmo1_tensors,
    .block = olmo1_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_hidden_layers": 2, "vocab_size": 96, "max_position_embeddings": 256,
                 "clip_qkv": 0.8})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["OlmoForCausalLM"],
                    "model_type": "olmo", "rms_norm_eps": "$drop",
                    "attention_bias": "$attn_bias", "clip_qkv": "$clamp_kqv"})"},
};
const Architecture kOlmoe{
    .gguf_name = "olmoe",
    .hf_classes = {"OlmoeForCausalLM"},
    .read_config = olmoe_config,
    .read_hparams = read_olmoe,
    .tensors = olmoe_tensors,
    .block = olmoe_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 32, "num_attention_heads": 4,
                 "num_hidden_layers": 2, "vocab_size": 96, "max_position_embeddings": 256,
                 "num_experts": 8, "num_experts_per_tok": 3})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["OlmoeForCausalLM"],
                    "model_type": "olmoe", "attention_bias": "$attn_bias",
                    "num_experts": "$n_expert", "num_experts_per_tok": "$n_expert_used",
                    "norm_topk_prob": "$experts_normalize"})"},
};
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
                 "original_max_position_embeddings": 32}})",
             R"({"model_type": "olmo3", "hidden_size": 64, "intermediate_size": 96,
                 "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 4,
                 "vocab_size": 96, "max_position_embeddings": 256, "sliding_window": 20,
                 "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 4.0,
                 "rope_theta": 1e6}, "sliding_attention": {"rope_type": "default",
                 "rope_theta": 2e4}}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Olmo2ForCausalLM"],
                    "model_type": "olmo2", "attention_bias": "$attn_bias"})",
                   R"({"$include": "shared", "architectures": ["Olmo3ForCausalLM"],
                    "model_type": "olmo3", "attention_bias": "$attn_bias",
                    "sliding_window": "$window", "layer_types": "$layer_types"})",
                   R"({"$include": "shared", "architectures": ["Olmo3ForCausalLM"],
                    "model_type": "olmo3", "attention_bias": "$attn_bias",
                    "sliding_window": "$window", "layer_types": "$layer_types",
                    "rope_scaling": "$drop", "rope_theta": "$drop",
                    "rope_parameters": "$rope_by_kind"})"},
};
const RegisterArchitecture registered[] = {
    RegisterArchitecture(kOlmo1), RegisterArchitecture(kOlmoe), RegisterArchitecture(kOlmo2)};

}  // namespace
}  // namespace nibble
