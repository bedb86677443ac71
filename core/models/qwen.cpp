// Qwen 2, 2.5 and 3, dense and with experts: biases on q, k and v (2), norms of heads (3). The text
// parts of the vision models too: over text alone, their rotation in sections is the plain one.
// arXiv:2407.10671, arXiv:2412.15115, arXiv:2505.09388.
#include <algorithm>

#include "core/base/json.h"
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kQwen2Defaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 32768, "vocab_size": 151936,
        "sliding_window": 4096, "max_window_layers": 28})";
constexpr std::string_view kQwen2VlDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 32768, "vocab_size": 152064,
        "num_key_value_heads": 8, "sliding_window": 4096, "max_window_layers": 80,
        "rope_theta": 1e6})";
constexpr std::string_view kQwen3VlDefaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 128000, "vocab_size": 151936,
        "num_key_value_heads": 32, "head_dim": 128, "rope_theta": 5e5})";
constexpr std::string_view kQwen2MoeDefaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 32768, "vocab_size": 151936,
        "sliding_window": 4096, "max_window_layers": 28, "num_experts": 60, "num_experts_per_tok": 4,
        "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632})";
constexpr std::string_view kQwen3Defaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 32768, "vocab_size": 151936,
        "sliding_window": 4096, "max_window_layers": 28, "head_dim": 128})";
constexpr std::string_view kQwen3MoeDefaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 32768, "vocab_size": 151936,
        "sliding_window": 4096, "max_window_layers": 28, "num_experts": 128,
        "num_experts_per_tok": 8, "moe_intermediate_size": 768})";

Result<Hparams> read(const HparamsSource& source, std::string_view arch, bool normalize) {
  const HparamsReader reader(source, arch);
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kSilu));
  NIBBLE_TRY(h.moe.normalize, reader.flag_or("expert_weights_norm", normalize));
  NIBBLE_TRY(h.moe_layer, reader.layer_flags("expert_layers", h.n_layer));
  if (h.window > 0) {
    NIBBLE_TRY(h.sliding, reader.layer_flags("attention.sliding_window_pattern", h.n_layer));
    if (h.sliding.empty()) h.window = 0;
  }
  return h;
}
Result<Hparams> read_qwen2(const HparamsSource& s) { return read(s, "qwen2", false); }
Result<Hparams> read_qwen2vl(const HparamsSource& s) { return read(s, "qwen2vl", false); }
Result<Hparams> read_qwen2moe(const HparamsSource& s) { return read(s, "qwen2moe", false); }
Result<Hparams> read_qwen3(const HparamsSource& s) { return read(s, "qwen3", false); }
Result<Hparams> read_qwen3vl(const HparamsSource& s) { return read(s, "qwen3vl", false); }
Result<Hparams> read_qwen3moe(const HparamsSource& s) { return read(s, "qwen3moe", true); }

std::vector<TensorSpec> tensors(const Hparams& h, bool head_norms) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    if (head_norms) {
      t.norm("attn_q_norm", "self_attn.q_norm", h.d_k)
          .norm("attn_k_norm", "self_attn.k_norm", h.d_k);
    }
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    if (!h.is_moe(i)) {
      t.gated_ffn();
      continue;
    }
    t.experts("mlp.gate", "mlp.experts.{e}.gate_proj.weight", "mlp.experts.{e}.up_proj.weight",
              "mlp.experts.{e}.down_proj.weight");
    if (h.moe.n_ff_shared > 0) {
      t.linear("ffn_gate_inp_shexp", "mlp.shared_expert_gate", 1, h.n_embd);
      t.shared_expert("mlp.shared_expert.");
    }
  }
  return t.output().take();
}
std::vector<TensorSpec> qwen2_tensors(const Hparams& h) { return tensors(h, false); }
std::vector<TensorSpec> qwen3_tensors(const Hparams& h) { return tensors(h, true); }

BlockOptions qwen3_block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.qk_norm = QkNorm::kHead;
  return o;
}

// Whether a layer has a window where the config has no layer_types. max: its max_window_layers. A
// class whose every layer has one reads no layer_types.
using WindowRule = bool (*)(int64_t layer, int64_t max);
bool from_max_on(int64_t layer, int64_t max) { return layer >= max; }
bool every_other_below_max(int64_t layer, int64_t max) { return layer % 2 == 0 && layer < max; }
bool every_layer(int64_t, int64_t) { return true; }

// Windows only where use_sliding_window says so.
void window(ConfigKeys& keys, WindowRule rule) {
  if (!keys.flag({"use_sliding_window"}, false)) return;
  if (rule != every_layer && keys.find({"layer_types"})) {
    keys.window_layers();
    return;
  }
  keys.window();
  const int64_t max = keys.integer({"max_window_layers"}, 28);
  std::vector<bool> sliding;
  for (int64_t i = 0; i < keys.n_layer(); ++i) sliding.push_back(rule(i, max));
  keys.set_flags("attention.sliding_window_pattern", std::move(sliding));
}

// Experts on each decoder_sparse_step-th layer that mlp_only_layers does not name.
void experts(ConfigKeys& keys) {
  keys.experts().set_flag("expert_weights_norm", keys.flag({"norm_topk_prob"}, false));
  const int64_t step = std::max<int64_t>(1, keys.integer({"decoder_sparse_step"}, 1));
  std::vector<bool> moe;
  for (int64_t i = 0; i < keys.n_layer(); ++i) moe.push_back((i + 1) % step == 0);
  if (const Json* dense = keys.find({"mlp_only_layers"}); dense && dense->is_array())
    for (const Json& i : *dense)
      if (i.is_number_unsigned() && i.get<size_t>() < moe.size()) moe[i.get<size_t>()] = false;
  keys.set_flags("expert_layers", std::move(moe));
}

Result<Metadata> dense_config(const Json& config, std::string_view arch,
                              std::string_view defaults) {
  ConfigKeys keys(config, arch, defaults);
  keys.sizes().rope().activation({"hidden_act"});
  window(keys, from_max_on);
  return keys.take();
}
Result<Metadata> moe_config(const Json& config, std::string_view arch, std::string_view defaults,
                            WindowRule rule) {
  ConfigKeys keys(config, arch, defaults);
  keys.sizes().rope().activation({"hidden_act"});
  window(keys, rule);
  experts(keys);
  return keys.take();
}
Result<Metadata> qwen2_config(const Json& c) { return dense_config(c, "qwen2", kQwen2Defaults); }
Result<Metadata> qwen2vl_config(const Json& c) {
  return dense_config(c, "qwen2vl", kQwen2VlDefaults);
}
Result<Metadata> qwen3vl_config(const Json& c) {
  return dense_config(c, "qwen3vl", kQwen3VlDefaults);
}
Result<Metadata> qwen2moe_config(const Json& c) {
  return moe_config(c, "qwen2moe", kQwen2MoeDefaults, every_other_below_max);
}
Result<Metadata> qwen3_config(const Json& c) { return dense_config(c, "qwen3", kQwen3Defaults); }
Result<Metadata> qwen3moe_config(const Json& c) {
  return moe_config(c, "qwen3moe", kQwen3MoeDefaults, every_layer);
}

const Architecture kQwen2{
    .gguf_name = "qwen2",
    .hf_classes = {"Qwen2ForCausalLM"},
    .read_config = qwen2_config,
    .read_hparams = read_qwen2,
    .tensors = qwen2_tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 3, "vocab_size": 96,
                 "max_position_embeddings": 256, "use_sliding_window": true, "sliding_window": 20,
                 "max_window_layers": 1})",
             R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 32, "use_sliding_window": true, "sliding_window": 20,
                 "max_window_layers": 1, "rope_scaling": {"type": "dynamic", "factor": 4.0}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Qwen2ForCausalLM"],
                    "model_type": "qwen2", "use_sliding_window": "$has_window",
                    "sliding_window": "$window", "layer_types": "$layer_types"})"},
};
const Architecture kQwen2Vl{
    .gguf_name = "qwen2vl",
    .hf_classes = {"Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration"},
    .read_config = qwen2vl_config,
    .read_hparams = read_qwen2vl,
    .tensors = qwen2_tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "rope_scaling": {"type": "mrope",
                 "mrope_section": [2, 3, 3]}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Qwen2VLForConditionalGeneration"],
                    "model_type": "qwen2_vl", "use_sliding_window": "$has_window",
                    "sliding_window": "$window", "layer_types": "$layer_types"})"},
};
const Architecture kQwen3Vl{
    .gguf_name = "qwen3vl",
    .hf_classes = {"Qwen3VLForConditionalGeneration"},
    .read_config = qwen3vl_config,
    .read_hparams = read_qwen3vl,
    .tensors = qwen3_tensors,
    .block = qwen3_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256, "rope_scaling": {"rope_type": "default",
                 "mrope_section": [6, 5, 5]}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Qwen3VLForConditionalGeneration"],
                    "model_type": "qwen3_vl", "use_sliding_window": "$has_window",
                    "sliding_window": "$window", "layer_types": "$layer_types"})"},
};
const Architecture kQwen2Moe{
    .gguf_name = "qwen2moe",
    .hf_classes = {"Qwen2MoeForCausalLM"},
    .read_config = qwen2moe_config,
    .read_hparams = read_qwen2moe,
    .tensors = qwen2_tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "num_experts": 6, "num_experts_per_tok": 2,
                 "moe_intermediate_size": 32, "shared_expert_intermediate_size": 64})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Qwen2MoeForCausalLM"],
                    "model_type": "qwen2_moe", "use_sliding_window": "$has_window",
                    "sliding_window": "$window", "layer_types": "$layer_types",
                    "num_experts": "$n_expert", "num_experts_per_tok": "$n_expert_used",
                    "moe_intermediate_size": "$n_ff_expert",
                    "norm_topk_prob": "$experts_normalize", "decoder_sparse_step": 1,
                    "mlp_only_layers": "$dense_layers",
                    "shared_expert_intermediate_size": "$n_ff_shared"})"},
};
const Architecture kQwen3{
    .gguf_name = "qwen3",
    .hf_classes = {"Qwen3ForCausalLM"},
    .read_config = qwen3_config,
    .read_hparams = read_qwen3,
    .tensors = qwen3_tensors,
    .block = qwen3_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256, "tie_word_embeddings": true})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Qwen3ForCausalLM"],
                    "model_type": "qwen3", "attention_bias": "$attn_bias",
                    "use_sliding_window": "$has_window", "sliding_window": "$window",
                    "layer_types": "$layer_types"})"},
};
const Architecture kQwen3Moe{
    .gguf_name = "qwen3moe",
    .hf_classes = {"Qwen3MoeForCausalLM"},
    .read_config = qwen3moe_config,
    .read_hparams = read_qwen3moe,
    .tensors = qwen3_tensors,
    .block = qwen3_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256, "num_experts": 8, "num_experts_per_tok": 3,
                 "moe_intermediate_size": 32, "norm_topk_prob": true})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Qwen3MoeForCausalLM"],
                    "model_type": "qwen3_moe", "attention_bias": "$attn_bias",
                    "use_sliding_window": "$has_window", "sliding_window": "$window",
                    "layer_types": "$layer_types", "num_experts": "$n_expert",
                    "num_experts_per_tok": "$n_expert_used",
                    "moe_intermediate_size": "$n_ff_expert",
                    "norm_topk_prob": "$experts_normalize", "decoder_sparse_step": 1,
                    "mlp_only_layers": "$dense_layers"})"},
};
const RegisterArchitecture registered[] = {
    RegisterArchitecture(kQwen2), RegisterArchitecture(kQwen2Vl), RegisterArchitecture(kQwen2Moe),
    RegisterArchitecture(kQwen3), RegisterArchitecture(kQwen3Vl), RegisterArchitecture(kQwen3Moe)};

}  // namespace
}  // namespace nibble
