// ERNIE 4.5, dense and with experts: Llama's block rotated in adjacent pairs; experts are chosen by
// probability plus a bias, and weighted by probability alone. Baidu, ERNIE 4.5 Technical Report,
// 2025.
#include <algorithm>

#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 131072, "vocab_size": 103424,
        "num_key_value_heads": 2, "head_dim": 128, "rope_theta": 5e5,
        "tie_word_embeddings": true})";
constexpr std::string_view kMoeDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 131072, "vocab_size": 103424,
        "num_key_value_heads": 4, "rope_theta": 5e5, "tie_word_embeddings": true,
        "moe_num_experts": 64, "moe_k": 6, "moe_num_shared_experts": 2,
        "moe_intermediate_size": 1536, "moe_layer_start_index": 1, "moe_layer_interval": 1,
        "moe_layer_end_index": -1})";

Result<Hparams> read_dense(const HparamsSource& source) {
  return HparamsReader(source, "ernie4_5").common(Rotation::kAdjacent, Activation::kSilu);
}
Result<Hparams> read_moe(const HparamsSource& source) {
  const HparamsReader reader(source, "ernie4_5-moe");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kAdjacent, Activation::kSilu));
  h.moe.normalize = true;
  if (h.moe.n_ff_shared == 0) {
    NIBBLE_TRY(h.moe.n_ff_shared, reader.shared_width(h.moe.n_ff));
  }
  NIBBLE_TRY(const int n_dense, reader.count_or("leading_dense_block_count", 0, 0, kMaxLayers));
  NIBBLE_TRY(const int step, reader.count_or("interleave_moe_layer_step", 1, 1, kMaxLayers));
  NIBBLE_TRY(h.moe_layer, reader.layer_flags("expert_layers", h.n_layer));
  if (!h.moe_layer.empty()) return h;
  for (int i = 0; i < h.n_layer; ++i) h.moe_layer.push_back(i >= n_dense && (i + 1) % step == 0);
  return h;
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    if (!h.is_moe(i)) {
      t.gated_ffn();
      continue;
    }
    t.experts("mlp.gate", "mlp.experts.{e}.gate_proj.weight", "mlp.experts.{e}.up_proj.weight",
              "mlp.experts.{e}.down_proj.weight");
    t.add({.gguf_name = "exp_probs_b.bias",
           .hf_name = "mlp.moe_statics.e_score_correction_bias|"
                      "mlp.gate.moe_statics.e_score_correction_bias",
           .shape = shape_of({h.moe.n_expert}),
           .required = false});
    if (h.moe.n_ff_shared > 0) t.shared_expert("mlp.shared_experts.");
  }
  return t.output().take();
}

Result<Metadata> dense_config(const Json& config) {
  ConfigKeys keys(config, "ernie4_5", kDefaults);
  return keys.sizes().rope().activation({"hidden_act"}).take();
}

Result<Metadata> moe_config(const Json& config) {
  ConfigKeys keys(config, "ernie4_5-moe", kMoeDefaults);
  keys.sizes().rope().activation({"hidden_act"});
  keys.count("expert_count", {"num_experts", "moe_num_experts"});
  keys.count("expert_used_count", {"num_experts_per_tok", "moe_k"});
  keys.count("expert_feed_forward_length", {"moe_intermediate_size"});
  keys.count("expert_shared_count", {"moe_num_shared_experts"});
  const int64_t first = keys.integer({"moe_layer_start_index"}, 1);
  const int64_t end = keys.integer({"moe_layer_end_index"}, -1);
  const int64_t step = std::max<int64_t>(1, keys.integer({"moe_layer_interval"}, 1));
  keys.set_count("leading_dense_block_count", std::clamp<int64_t>(first, 0, keys.n_layer()));
  keys.set_count("interleave_moe_layer_step", step);
  std::vector<bool> moe;
  for (int i = 0; i < keys.n_layer(); ++i)
    moe.push_back((i + 1) % step == 0 && i >= first && (end < 0 || i <= end));
  return keys.set_flags("expert_layers", std::move(moe)).take();
}

const Architecture kErnie{
    .gguf_name = "ernie4_5",
    .hf_classes = {"Ernie4_5ForCausalLM", "Ernie4_5_ForCausalLM"},
    .read_config = dense_config,
    .read_hparams = read_dense,
    .tensors = tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Ernie4_5ForCausalLM"],
                    "model_type": "ernie4_5", "use_bias": "$attn_bias"})"},
};
const Architecture kErnieMoe{
    .gguf_name = "ernie4_5-moe",
    .hf_classes = {"Ernie4_5_MoeForCausalLM"},
    .read_config = moe_config,
    .read_hparams = read_moe,
    .tensors = tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 3, "vocab_size": 96,
                 "max_position_embeddings": 256, "moe_num_experts": 8, "moe_k": 3,
                 "moe_num_shared_experts": 2, "moe_intermediate_size": 32})",
             R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 6, "vocab_size": 96,
                 "max_position_embeddings": 256, "moe_num_experts": 8, "moe_k": 3,
                 "moe_num_shared_experts": 2, "moe_intermediate_size": 32,
                 "moe_layer_start_index": 1, "moe_layer_end_index": 4, "moe_layer_interval": 2})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Ernie4_5_MoeForCausalLM"],
                    "model_type": "ernie4_5_moe", "use_bias": "$attn_bias",
                    "moe_num_experts": "$n_expert", "moe_k": "$n_expert_used",
                    "moe_num_shared_experts": "$n_shared", "moe_intermediate_size": "$n_ff_expert",
                    "moe_layer_start_index": "$n_dense", "moe_layer_interval": "$moe_interval",
                    "moe_layer_end_index": "$last_moe"})"},
};
const RegisterArchitecture registered[] = {RegisterArchitecture(kErnie),
                                           RegisterArchitecture(kErnieMoe)};

}  // namespace
}  // namespace nibble
