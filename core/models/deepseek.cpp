// DeepSeek V1 (Llama's attention, experts with shared ones) and V2, V3 and R1 (latent attention,
// grouped routing). arXiv:2401.06066, arXiv:2405.04434, arXiv:2412.19437. V2 ranks groups of
// experts by their best, V3 by the sum of their two best, as the originals do.
#include <algorithm>
#include <cmath>

#include "core/base/json.h"
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr uint64_t kGatingSigmoid = 2;  // GGUF's expert_gating_func
constexpr std::string_view kV1Defaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 2048, "vocab_size": 102400,
        "first_k_dense_replace": 0, "moe_layer_freq": 1, "norm_topk_prob": false,
        "scoring_func": "softmax"})";
constexpr std::string_view kV2Defaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 2048, "vocab_size": 102400,
        "first_k_dense_replace": 0, "moe_layer_freq": 1, "norm_topk_prob": false,
        "scoring_func": "softmax", "topk_method": "greedy", "q_lora_rank": 1536,
        "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "routed_scaling_factor": 1.0})";
constexpr std::string_view kV3Defaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 4096, "vocab_size": 129280,
        "first_k_dense_replace": 3, "moe_layer_freq": 1, "norm_topk_prob": true,
        "scoring_func": "sigmoid", "topk_method": "noaux_tc", "q_lora_rank": 1536,
        "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "routed_scaling_factor": 2.5, "n_group": 8, "topk_group": 4, "num_experts_per_tok": 8,
        "n_routed_experts": 256, "n_shared_experts": 1, "moe_intermediate_size": 2048})";

// Dense layers first, experts after; the shared experts are one feed-forward of their common width.
Result<void> read_experts(const HparamsReader& reader, Hparams& h) {
  NIBBLE_TRY(const int n_dense, reader.count_or("leading_dense_block_count", 0, 0, kMaxLayers));
  NIBBLE_TRY(const int freq, reader.count_or("moe_every_n_layers", 1, 1, kMaxLayers));
  h.moe_layer.resize(h.n_layer);
  for (int i = 0; i < h.n_layer; ++i) h.moe_layer[i] = i >= n_dense && i % freq == 0;
  NIBBLE_TRY(h.moe.n_ff_shared, reader.shared_width(h.moe.n_ff));
  NIBBLE_TRY(h.moe.normalize, reader.flag_or("expert_weights_norm", false));
  NIBBLE_TRY(const int gating, reader.count_or("expert_gating_func", 0, 0, 2));
  if (gating == kGatingSigmoid) h.moe.gating = ExpertGating::kSigmoid;
  h.moe.group_top = gating == kGatingSigmoid ? 2 : 1;
  return {};
}

Result<Hparams> read_v1(const HparamsSource& source) {
  const HparamsReader reader(source, "deepseek");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kPermuted, Activation::kSilu));
  NIBBLE_CHECK(read_experts(reader, h));
  return h;
}

// Sizes of latent attention. Older GGUF files give the heads' sizes where newer ones give the
// cache's.
Result<void> read_latent(const HparamsReader& reader, Hparams& h) {
  constexpr int kMax = 1 << 12;
  MlaHparams& m = h.mla;
  NIBBLE_TRY(m.q_lora, reader.count_or("attention.q_lora_rank", 0, 0, kMax));
  NIBBLE_TRY(m.kv_lora, reader.need_count("attention.kv_lora_rank", 1, kMax));
  NIBBLE_TRY(m.d_rope, reader.need_count("rope.dimension_count", 2, kMax));
  NIBBLE_TRY(const int d_head, reader.count_or("attention.key_length_mla", h.d_k, 1, kMax));
  NIBBLE_TRY(m.d_v, reader.count_or("attention.value_length_mla", h.d_v, 1, kMax));
  m.d_nope = d_head - m.d_rope;
  if (m.d_nope < 1)
    return corrupt(
        "key 'deepseek2.attention.key_length_mla': {}, expected more than the {} rotated", d_head,
        m.d_rope);
  h.n_head_kv = 1;
  h.d_k = m.kv_lora + m.d_rope;  // of the cache: compressed keys and values, then positions
  h.d_v = m.kv_lora;
  return {};
}

// The scores carry YaRN's magnitude, squared; cosine and sine carry the quotient of the config's
// two mscales, which is one in all published models and in files that do not say it.
Result<void> read_yarn(const HparamsReader& reader, Hparams& h) {
  const double log_factor = std::log(std::max(1.0, h.rope.factor));
  NIBBLE_TRY(const double attn, reader.number_or("rope.scaling.yarn_attn_factor", 0));
  NIBBLE_TRY(const double log_multiplier, reader.number_or("rope.scaling.yarn_log_multiplier", 0));
  const bool yarn = h.rope.scaling == RopeScaling::kYarn;
  if (yarn) h.rope.magnitude = attn > 0 ? attn * (1 + 0.1 * log_factor) : 1;
  const double mscale = yarn ? 1 + log_multiplier * log_factor : 1;
  h.attn_scale =
      static_cast<float>(mscale * mscale / std::sqrt(double(h.mla.d_nope + h.mla.d_rope)));
  return {};
}

Result<Hparams> read_v2(const HparamsSource& source) {
  const HparamsReader reader(source, "deepseek2");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kAdjacent, Activation::kSilu));
  NIBBLE_CHECK(read_latent(reader, h));
  NIBBLE_TRY(h.rope, reader.rope(h.mla.d_rope, h.n_ctx_train));
  NIBBLE_CHECK(read_yarn(reader, h));
  h.rope.first = h.mla.kv_lora;
  h.rope_swa = h.rope;
  NIBBLE_CHECK(read_experts(reader, h));
  return h;
}

void experts_or_dense(TensorTable& t, const Hparams& h, int i) {
  t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
  if (!h.is_moe(i)) {
    t.gated_ffn();
    return;
  }
  t.experts("mlp.gate", "mlp.experts.{e}.gate_proj.weight", "mlp.experts.{e}.up_proj.weight",
            "mlp.experts.{e}.down_proj.weight");
  t.add({.gguf_name = "exp_probs_b.bias",
         .hf_name = "mlp.gate.e_score_correction_bias",
         .shape = shape_of({h.moe.n_expert}),
         .required = false});
  if (h.moe.n_ff_shared > 0) t.shared_expert("mlp.shared_experts.");
}

std::vector<TensorSpec> v1_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kRopeRows);
    experts_or_dense(t, h, i);
  }
  return t.output().take();
}

std::vector<TensorSpec> v2_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  const MlaHparams& m = h.mla;
  const int n_q = h.n_head * (m.d_nope + m.d_rope);
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd);
    if (m.q_lora > 0) {
      t.linear("attn_q_a", "self_attn.q_a_proj", m.q_lora, h.n_embd);
      t.norm("attn_q_a_norm", "self_attn.q_a_layernorm", m.q_lora);
      t.linear("attn_q_b", "self_attn.q_b_proj", n_q, m.q_lora);
    } else {
      t.linear("attn_q", "self_attn.q_proj", n_q, h.n_embd);
    }
    t.linear("attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa", m.kv_lora + m.d_rope, h.n_embd);
    t.norm("attn_kv_a_norm", "self_attn.kv_a_layernorm", m.kv_lora);
    t.add({.gguf_name = "attn_k_b.weight",
           .hf_name = "self_attn.kv_b_proj.weight",
           .shape = shape_of({h.n_head, m.kv_lora, m.d_nope}),
           .fix = Fix::kKeyPart});
    t.add({.gguf_name = "attn_v_b.weight",
           .hf_name = "self_attn.kv_b_proj.weight",
           .shape = shape_of({h.n_head, m.d_v, m.kv_lora}),
           .fix = Fix::kValuePart});
    t.linear("attn_output", "self_attn.o_proj", h.n_embd, h.n_head * m.d_v);
    experts_or_dense(t, h, i);
  }
  return t.output().take();
}

// scales_sums: whether weights that were made to sum to one are scaled on top; V1's and V2's own
// code does not.
void expert_keys(ConfigKeys& keys, bool scales_sums) {
  keys.experts().count("leading_dense_block_count", {"first_k_dense_replace"});
  keys.count("moe_every_n_layers", {"moe_layer_freq"});
  keys.count("expert_shared_count", {"n_shared_experts"});
  const bool sums = keys.flag({"norm_topk_prob"}, false);
  keys.set_flag("expert_weights_norm", sums);
  if (!sums || scales_sums) keys.number_key("expert_weights_scale", {"routed_scaling_factor"});
  const bool sigmoid = keys.text({"scoring_func"}, "softmax") == "sigmoid";
  keys.set_count("expert_gating_func", sigmoid ? 2 : 1);
  if (keys.text({"topk_method"}, "greedy") == "greedy") return;
  keys.count("expert_group_count", {"n_group"});
  keys.count("expert_group_used_count", {"topk_group"});
}

Result<Metadata> v1_config(const Json& config) {
  ConfigKeys keys(config, "deepseek", kV1Defaults);
  keys.sizes().rope().activation({"hidden_act"});
  expert_keys(keys, false);
  return keys.take();
}

Result<Metadata> v2_config(const Json& config) {
  // Models built on V3 have types of their own, but no others than V2's lack what V3's say.
  const std::string type =
      ConfigKeys(config, "deepseek2", "{}").text({"model_type"}, "deepseek_v2");
  ConfigKeys keys(config, "deepseek2", type == "deepseek_v2" ? kV2Defaults : kV3Defaults);
  const int64_t lora = keys.integer({"kv_lora_rank"}, 0),
                rope = keys.integer({"qk_rope_head_dim"}, 0);
  keys.set_count("attention.head_count_kv", 1);
  keys.set_count("attention.key_length", lora + rope).set_count("attention.value_length", lora);
  keys.set_count("attention.key_length_mla", keys.integer({"qk_nope_head_dim"}, 0) + rope);
  keys.count("attention.value_length_mla", {"v_head_dim"});
  keys.count("attention.kv_lora_rank", {"kv_lora_rank"});
  keys.count("attention.q_lora_rank", {"q_lora_rank"});
  keys.set_count("rope.dimension_count", rope);
  keys.sizes().rope().activation({"hidden_act"});
  const double all = keys.part(keys.rope_given()).number({"mscale_all_dim"}, 0);
  if (all != 0) keys.set_number("rope.scaling.yarn_log_multiplier", 0.1 * all);
  expert_keys(keys, type != "deepseek_v2");
  keys.refuse(!keys.flag({"rope_interleave"}, true), "rope_interleave false is not built in");
  return keys.take();
}

const Architecture kDeepSeek{
    .gguf_name = "deepseek",
    .hf_classes = {"DeepseekForCausalLM"},
    .read_config = v1_config,
    .read_hparams = read_v1,
    .tensors = v1_tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 4, "num_hidden_layers": 3, "vocab_size": 96,
                 "max_position_embeddings": 256, "first_k_dense_replace": 1, "n_routed_experts": 8,
                 "n_shared_experts": 2, "num_experts_per_tok": 3, "moe_intermediate_size": 32})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["DeepseekForCausalLM"],
                    "model_type": "deepseek", "first_k_dense_replace": "$n_dense",
                    "n_routed_experts": "$n_expert", "n_shared_experts": "$n_shared",
                    "num_experts_per_tok": "$n_expert_used",
                    "moe_intermediate_size": "$n_ff_expert",
                    "norm_topk_prob": "$experts_normalize", "scoring_func": "$gating",
                    "routed_scaling_factor": "$experts_scale", "moe_layer_freq": 1,
                    "attention_bias": "$attn_bias"})"},
};
const Architecture kDeepSeek2{
    .gguf_name = "deepseek2",
    .hf_classes = {"DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM"},
    .read_config = v2_config,
    .read_hparams = read_v2,
    .tensors = v2_tensors,
    .block = common_block,
    .tiny = {R"({"model_type": "deepseek_v2", "hidden_size": 64, "intermediate_size": 96,
                 "num_attention_heads": 4, "num_key_value_heads": 4, "num_hidden_layers": 2,
                 "vocab_size": 96, "max_position_embeddings": 256, "first_k_dense_replace": 1,
                 "n_routed_experts": 8, "n_shared_experts": 2, "num_experts_per_tok": 2,
                 "moe_intermediate_size": 32, "q_lora_rank": null, "kv_lora_rank": 32,
                 "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16,
                 "topk_method": "group_limited_greedy", "n_group": 4, "topk_group": 2})",
             R"({"model_type": "deepseek_v3", "hidden_size": 64, "intermediate_size": 96,
                 "num_attention_heads": 4, "num_key_value_heads": 4, "num_hidden_layers": 2,
                 "vocab_size": 96, "max_position_embeddings": 256, "first_k_dense_replace": 1,
                 "n_routed_experts": 8, "n_shared_experts": 1, "num_experts_per_tok": 2,
                 "moe_intermediate_size": 32, "q_lora_rank": 24, "kv_lora_rank": 32,
                 "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16, "n_group": 4,
                 "topk_group": 2, "rope_scaling": {"type": "yarn", "factor": 4.0, "mscale": 1.0,
                 "mscale_all_dim": 1.0, "original_max_position_embeddings": 32}})",
             R"({"model_type": "deepseek_v3", "hidden_size": 64, "intermediate_size": 96,
                 "num_attention_heads": 4, "num_key_value_heads": 4, "num_hidden_layers": 2,
                 "vocab_size": 96, "max_position_embeddings": 256, "first_k_dense_replace": 2,
                 "rms_norm_eps": 0.03, "q_lora_rank": 24, "kv_lora_rank": 32,
                 "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16, "rope_scaling": {
                 "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}})"},
    .hf_configs = {R"({"$include": "shared", "$if": {"gating": "sigmoid"},
                    "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
                    "num_key_value_heads": "$n_head", "head_dim": "$drop",
                    "rope_scaling": "$rope_scaling_mscale", "q_lora_rank": "$q_lora",
                    "kv_lora_rank": "$kv_lora", "qk_nope_head_dim": "$d_nope",
                    "qk_rope_head_dim": "$d_rope", "v_head_dim": "$d_value",
                    "moe_layer_freq": 1, "attention_bias": "$attn_bias",
                    "first_k_dense_replace": "$n_dense", "n_routed_experts": "$n_expert",
                    "n_shared_experts": "$n_shared", "num_experts_per_tok": "$n_expert_used",
                    "moe_intermediate_size": "$n_ff_expert",
                    "norm_topk_prob": "$experts_normalize", "scoring_func": "$gating",
                    "routed_scaling_factor": "$experts_scale", "topk_method": "noaux_tc",
                    "n_group": "$n_group", "topk_group": "$n_group_used"})",
                   R"({"$include": "shared", "$if": {"gating": "softmax"},
                    "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
                    "num_key_value_heads": "$n_head", "head_dim": "$drop",
                    "rope_scaling": "$rope_scaling_mscale", "q_lora_rank": "$q_lora",
                    "kv_lora_rank": "$kv_lora", "qk_nope_head_dim": "$d_nope",
                    "qk_rope_head_dim": "$d_rope", "v_head_dim": "$d_value",
                    "moe_layer_freq": 1, "attention_bias": "$attn_bias",
                    "first_k_dense_replace": "$n_dense", "n_routed_experts": "$n_expert",
                    "n_shared_experts": "$n_shared", "num_experts_per_tok": "$n_expert_used",
                    "moe_intermediate_size": "$n_ff_expert",
                    "norm_topk_prob": "$experts_normalize", "scoring_func": "$gating",
                    "routed_scaling_factor": "$experts_scale", "topk_method": "$topk_method",
                    "n_group": "$n_group", "topk_group": "$n_group_used"})"},
};
const RegisterArchitecture registered[] = {RegisterArchitecture(kDeepSeek),
                                           RegisterArchitecture(kDeepSeek2)};

}  // namespace
}  // namespace nibble
