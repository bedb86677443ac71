// config.json as it was published: keys that are absent, null or under older names, parts of vision
// models, rope dictionaries of every generation. The texts hold what bears on the case.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/base/json.h"
#include "core/models/architecture.h"
#include "core/models/folder_config.h"

using namespace nibble;

namespace {

struct Row {
  const char* model;
  const char* config;
  bool (*right)(const Hparams& h);
};

bool near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); }
bool all(const std::vector<bool>& flags, bool value) {
  return !flags.empty() && std::ranges::all_of(flags, [&](bool f) { return f == value; });
}

const Row kRows[] = {
    {"Llama 1, as first converted",
     R"({"architectures": ["LLaMAForCausalLM"], "model_type": "llama", "hidden_size": 4096,
         "intermediate_size": 11008, "max_sequence_length": 2048, "num_attention_heads": 32,
         "num_hidden_layers": 32, "rms_norm_eps": 1e-06, "vocab_size": 32000})",
     [](const Hparams& h) { return h.n_ctx_train == 2048 && h.n_head_kv == 32 && h.d_k == 128; }},
    {"CodeLlama 7B",
     R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 11008,
         "max_position_embeddings": 16384, "num_attention_heads": 32, "num_hidden_layers": 32,
         "num_key_value_heads": 32, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
         "rope_scaling": null, "rope_theta": 1000000, "vocab_size": 32016})",
     [](const Hparams& h) { return h.rope.base == 1e6 && h.n_vocab == 32016 && !h.tied; }},
    {"Llama 3.2 1B",
     R"({"architectures": ["LlamaForCausalLM"], "head_dim": 64, "hidden_size": 2048,
         "intermediate_size": 8192, "max_position_embeddings": 131072, "mlp_bias": false,
         "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8,
         "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
         "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0,
         "tie_word_embeddings": true, "vocab_size": 128256})",
     [](const Hparams& h) {
       return h.tied && h.rope.scaling == RopeScaling::kLlama3 && h.rope.factor == 32 &&
              h.rope.n_ctx_orig == 8192;
     }},
    {"DeepSeek Coder 6.7B, linear scaling",
     R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 11008,
         "max_position_embeddings": 16384, "num_attention_heads": 32, "num_hidden_layers": 32,
         "rope_scaling": {"factor": 4.0, "type": "linear"}, "rope_theta": 100000,
         "vocab_size": 32256})",
     [](const Hparams& h) {
       return h.rope.scaling == RopeScaling::kLinear && h.rope.factor == 4 && h.rope.base == 1e5;
     }},
    {"InternLM 3 8B, dynamic scaling",
     R"({"architectures": ["InternLM3ForCausalLM"], "bias": false, "head_dim": 128,
         "hidden_size": 4096, "intermediate_size": 10240, "max_position_embeddings": 32768,
         "model_type": "internlm3", "num_attention_heads": 32, "num_hidden_layers": 48,
         "num_key_value_heads": 2, "qkv_bias": false, "rms_norm_eps": 1e-05,
         "rope_scaling": {"factor": 6.0, "rope_type": "dynamic"}, "rope_theta": 50000000,
         "tie_word_embeddings": false, "vocab_size": 128512})",
     [](const Hparams& h) {
       return h.rope.scaling == RopeScaling::kDynamic && h.rope.factor == 6 &&
              h.rope.n_ctx_orig == 32768;
     }},
    {"Mistral 7B v0.1",
     R"({"architectures": ["MistralForCausalLM"], "model_type": "mistral", "hidden_size": 4096,
         "intermediate_size": 14336, "max_position_embeddings": 32768, "num_attention_heads": 32,
         "num_hidden_layers": 32, "num_key_value_heads": 8, "rope_theta": 10000.0,
         "sliding_window": 4096, "vocab_size": 32000})",
     [](const Hparams& h) { return h.window == 4096 && all(h.sliding, true); }},
    {"Mistral 7B v0.3",
     R"({"architectures": ["MistralForCausalLM"], "model_type": "mistral", "hidden_size": 4096,
         "intermediate_size": 14336, "max_position_embeddings": 32768, "num_attention_heads": 32,
         "num_hidden_layers": 32, "num_key_value_heads": 8, "rope_theta": 1000000.0,
         "sliding_window": null, "vocab_size": 32768})",
     [](const Hparams& h) { return h.window == 0 && h.sliding.empty(); }},
    {"Mistral Nemo",
     R"({"architectures": ["MistralForCausalLM"], "model_type": "mistral", "head_dim": 128,
         "hidden_size": 5120, "intermediate_size": 14336, "max_position_embeddings": 131072,
         "num_attention_heads": 32, "num_hidden_layers": 40, "num_key_value_heads": 8,
         "rope_theta": 1000000.0, "sliding_window": null, "vocab_size": 131072})",
     [](const Hparams& h) { return h.d_k == 128 && h.d_v == 128 && h.rope.n_rot == 128; }},
    {"Mistral Small 3.1, a vision model",
     R"({"architectures": ["Mistral3ForConditionalGeneration"], "model_type": "mistral3",
         "text_config": {"head_dim": 128, "hidden_size": 5120, "intermediate_size": 32768,
         "max_position_embeddings": 131072, "model_type": "mistral", "num_attention_heads": 32,
         "num_hidden_layers": 40, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
         "rope_theta": 1000000000.0, "sliding_window": null, "vocab_size": 131072},
         "vision_config": {"hidden_size": 1024}})",
     [](const Hparams& h) {
       return h.window == 0 && h.rope.base == 1e9 && h.temperature_beta == 0 &&
              h.rope.scaling == RopeScaling::kNone;
     }},
    {"Ministral 3 8B, a vision model that says no window",
     R"({"architectures": ["Mistral3ForConditionalGeneration"], "model_type": "mistral3",
         "text_config": {"head_dim": 128, "hidden_size": 4096, "intermediate_size": 14336,
         "max_position_embeddings": 262144, "model_type": "ministral3", "num_attention_heads": 32,
         "num_hidden_layers": 34, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
         "rope_parameters": {"beta_fast": 32.0, "beta_slow": 1.0, "factor": 16.0,
         "llama_4_scaling_beta": 0.1, "mscale": 1.0, "mscale_all_dim": 1.0,
         "original_max_position_embeddings": 16384, "rope_theta": 1000000.0, "rope_type": "yarn",
         "type": "yarn"}, "vocab_size": 131072}})",
     [](const Hparams& h) {
       return h.window == 0 && near(h.temperature_beta, 0.1) && h.rope.n_ctx_orig == 16384 &&
              h.rope.scaling == RopeScaling::kYarn && near(h.rope.magnitude, 1);
     }},
    {"Mixtral 8x7B",
     R"({"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "hidden_size": 4096,
         "intermediate_size": 14336, "max_position_embeddings": 32768, "num_attention_heads": 32,
         "num_experts_per_tok": 2, "num_hidden_layers": 32, "num_key_value_heads": 8,
         "num_local_experts": 8, "rope_theta": 1000000.0, "sliding_window": null,
         "vocab_size": 32000})",
     [](const Hparams& h) { return h.moe.n_expert == 8 && h.moe.normalize && h.window == 0; }},
    {"Qwen2.5 7B with YaRN switched on",
     R"({"architectures": ["Qwen2ForCausalLM"], "hidden_size": 3584, "intermediate_size": 18944,
         "max_position_embeddings": 32768, "max_window_layers": 28, "num_attention_heads": 28,
         "num_hidden_layers": 28, "num_key_value_heads": 4, "rope_theta": 1000000.0,
         "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768,
         "type": "yarn"}, "sliding_window": 131072, "use_sliding_window": false,
         "vocab_size": 152064})",
     [](const Hparams& h) {
       return h.window == 0 && h.rope.scaling == RopeScaling::kYarn && h.rope.factor == 4;
     }},
    {"Qwen3 4B",
     R"({"architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "head_dim": 128,
         "hidden_size": 2560, "intermediate_size": 9728, "max_position_embeddings": 40960,
         "num_attention_heads": 32, "num_hidden_layers": 36, "num_key_value_heads": 8,
         "rope_theta": 1000000, "sliding_window": null, "tie_word_embeddings": true,
         "vocab_size": 151936})",
     [](const Hparams& h) { return h.d_k == 128 && h.tied && h.window == 0; }},
    {"Qwen3 30B-A3B",
     R"({"architectures": ["Qwen3MoeForCausalLM"], "decoder_sparse_step": 1, "head_dim": 128,
         "hidden_size": 2048, "intermediate_size": 6144, "max_position_embeddings": 40960,
         "mlp_only_layers": [], "moe_intermediate_size": 768, "norm_topk_prob": true,
         "num_attention_heads": 32, "num_experts": 128, "num_experts_per_tok": 8,
         "num_hidden_layers": 48, "num_key_value_heads": 4, "rope_theta": 1000000.0,
         "vocab_size": 151936})",
     [](const Hparams& h) { return all(h.moe_layer, true) && h.moe.n_ff == 768; }},
    {"Qwen2.5 VL 3B, whose text part has no name",
     R"({"architectures": ["Qwen2_5_VLForConditionalGeneration"], "hidden_size": 2048,
         "intermediate_size": 11008, "max_position_embeddings": 128000, "num_attention_heads": 16,
         "num_hidden_layers": 36, "num_key_value_heads": 2, "rope_theta": 1000000.0,
         "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
         "tie_word_embeddings": true, "use_sliding_window": false, "sliding_window": 32768,
         "vision_config": {"depth": 32}, "vocab_size": 151936})",
     [](const Hparams& h) { return h.tied && h.rope.scaling == RopeScaling::kNone; }},
    {"Qwen3 VL 2B, which says outside that it is tied",
     R"({"architectures": ["Qwen3VLForConditionalGeneration"], "text_config": {"head_dim": 128,
         "hidden_size": 2048, "intermediate_size": 6144, "max_position_embeddings": 262144,
         "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8,
         "rope_scaling": {"mrope_interleaved": true, "mrope_section": [24, 20, 20],
         "rope_type": "default"}, "rope_theta": 5000000, "vocab_size": 151936},
         "tie_word_embeddings": true})",
     [](const Hparams& h) { return h.tied && h.rope.base == 5e6; }},
    {"Gemma 2 27B",
     R"({"architectures": ["Gemma2ForCausalLM"], "attn_logit_softcapping": 50.0,
         "final_logit_softcapping": 30.0, "head_dim": 128, "hidden_size": 4608,
         "intermediate_size": 36864, "num_attention_heads": 32, "num_hidden_layers": 46,
         "num_key_value_heads": 16, "query_pre_attn_scalar": 144, "sliding_window": 4096,
         "vocab_size": 256000})",
     [](const Hparams& h) {
       return near(h.attn_scale, 1 / 12.0) && h.sliding[0] && !h.sliding[1] && h.tied;
     }},
    {"Gemma 3 4B, a vision model",
     R"({"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
         "text_config": {"hidden_size": 2560, "intermediate_size": 10240,
         "model_type": "gemma3_text", "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0,
         "rope_type": "linear"}, "sliding_window": 1024}, "vision_config": {}})",
     [](const Hparams& h) {
       return h.n_head == 8 && h.n_head_kv == 4 && h.d_k == 256 && h.n_vocab == 262208 &&
              h.rope.base == 1e6 && h.rope_swa.base == 1e4 && h.sliding[4] && !h.sliding[5] &&
              h.rope.factor == 8 && h.rope_swa.scaling == RopeScaling::kNone;
     }},
    {"Gemma 3 with a rotation for each kind of layer",
     R"({"architectures": ["Gemma3ForCausalLM"], "hidden_size": 640, "intermediate_size": 2048,
         "num_attention_heads": 4, "num_key_value_heads": 1, "num_hidden_layers": 3,
         "layer_types": ["sliding_attention", "sliding_attention", "full_attention"],
         "rope_parameters": {"full_attention": {"rope_theta": 1e6, "rope_type": "linear",
         "factor": 8.0}, "sliding_attention": {"rope_theta": 20000.0, "rope_type": "default"}},
         "sliding_window": 512, "vocab_size": 262144})",
     [](const Hparams& h) {
       return h.rope.factor == 8 && h.rope_swa.base == 20000 && h.sliding[1] && !h.sliding[2];
     }},
    {"Phi-3 mini 4k",
     R"({"architectures": ["Phi3ForCausalLM"], "hidden_size": 3072, "intermediate_size": 8192,
         "max_position_embeddings": 4096, "num_attention_heads": 32, "num_hidden_layers": 32,
         "num_key_value_heads": 32, "original_max_position_embeddings": 4096,
         "rope_scaling": null, "rope_theta": 10000.0, "sliding_window": 2047,
         "vocab_size": 32064})",
     [](const Hparams& h) { return h.window == 2047 && all(h.sliding, true); }},
    {"Falcon 40B, as first published",
     R"({"architectures": ["RWForCausalLM"], "alibi": false, "bias": false, "hidden_size": 8192,
         "layer_norm_epsilon": 1e-05, "model_type": "RefinedWeb", "n_head": 128, "n_head_kv": 8,
         "n_layer": 60, "parallel_attn": true, "vocab_size": 65024})",
     [](const Hparams& h) { return h.n_head_kv == 8 && h.parallel && h.n_ff == 32768; }},
    {"Falcon 7B, as first published",
     R"({"architectures": ["RWForCausalLM"], "alibi": false, "bias": false, "hidden_size": 4544,
         "layer_norm_epsilon": 1e-05, "model_type": "RefinedWebModel", "multi_query": true,
         "n_head": 71, "n_layer": 32, "parallel_attn": true, "vocab_size": 65024})",
     [](const Hparams& h) { return h.n_head_kv == 1 && h.d_k == 64 && h.tied; }},
    {"Falcon 11B",
     R"({"architectures": ["FalconForCausalLM"], "alibi": false, "bias": false, "ff_factor": 4,
         "ffn_hidden_size": 16384, "hidden_size": 4096, "max_position_embeddings": 8192,
         "multi_query": true, "new_decoder_architecture": true, "num_attention_heads": 32,
         "num_hidden_layers": 60, "num_kv_heads": 8, "num_ln_in_parallel_attn": 1,
         "parallel_attn": true, "rope_theta": 500042, "tie_word_embeddings": false,
         "vocab_size": 65024})",
     [](const Hparams& h) { return h.n_head_kv == 8 && !h.tied && h.rope.base == 500042; }},
    {"GPT-Neo 1.3B",
     R"({"architectures": ["GPTNeoForCausalLM"], "activation_function": "gelu_new",
         "attention_types": [[["global", "local"], 12]], "hidden_size": 2048,
         "intermediate_size": null, "max_position_embeddings": 2048, "num_heads": 16,
         "num_layers": 24, "vocab_size": 50257, "window_size": 256})",
     [](const Hparams& h) {
       return h.n_ff == 8192 && !h.sliding[0] && h.sliding[1] && h.sliding.size() == 24 && h.tied;
     }},
    {"GPT-2 with heads of keys, which its class does not read",
     R"({"architectures": ["GPT2LMHeadModel"], "num_key_value_heads": 4, "head_dim": 32})",
     [](const Hparams& h) { return h.n_head_kv == 12 && h.d_k == 64 && h.d_v == 64; }},
    {"GPT-NeoX with heads of keys, which its class does not read",
     R"({"architectures": ["GPTNeoXForCausalLM"], "hidden_size": 768, "intermediate_size": 3072,
         "num_attention_heads": 12, "num_hidden_layers": 12, "num_key_value_heads": 4})",
     [](const Hparams& h) { return h.n_head_kv == 12 && h.rope.n_rot == 16; }},
    {"GPT-J with a size of heads, which its class does not read",
     R"({"architectures": ["GPTJForCausalLM"], "head_dim": 32, "rotary_dim": 64})",
     [](const Hparams& h) { return h.d_k == 256 && h.rope.n_rot == 64; }},
    {"Pythia, in the words of later configurations",
     R"({"architectures": ["GPTNeoXForCausalLM"], "hidden_act": "gelu", "hidden_size": 768,
         "intermediate_size": 3072, "max_position_embeddings": 2048, "num_attention_heads": 12,
         "num_hidden_layers": 12, "rope_parameters": {"partial_rotary_factor": 0.25,
         "rope_theta": 10000, "rope_type": "default"}, "use_parallel_residual": true,
         "vocab_size": 50304})",
     [](const Hparams& h) { return h.rope.n_rot == 16 && h.parallel; }},
    {"StableLM, in the words of its older class",
     R"({"architectures": ["StableLMEpochForCausalLM"], "hidden_act": "silu", "hidden_size": 2560,
         "intermediate_size": 6912, "max_position_embeddings": 4096, "norm_eps": 1e-05,
         "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 32,
         "rope_pct": 0.5, "rope_theta": 10000, "vocab_size": 50304})",
     [](const Hparams& h) { return h.rope.n_rot == 40 && near(h.eps, 1e-5); }},
    {"DeepSeek V2 Lite",
     R"({"architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
         "first_k_dense_replace": 1, "hidden_size": 2048, "intermediate_size": 10944,
         "kv_lora_rank": 512, "max_position_embeddings": 163840, "moe_intermediate_size": 1408,
         "n_group": 1, "n_routed_experts": 64, "n_shared_experts": 2, "norm_topk_prob": false,
         "num_attention_heads": 16, "num_experts_per_tok": 6, "num_hidden_layers": 27,
         "num_key_value_heads": 16, "q_lora_rank": null, "qk_nope_head_dim": 128,
         "qk_rope_head_dim": 64, "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40,
         "mscale": 0.707, "mscale_all_dim": 0.707, "original_max_position_embeddings": 4096,
         "type": "yarn"}, "routed_scaling_factor": 1.0, "scoring_func": "softmax",
         "topk_group": 1, "topk_method": "greedy", "v_head_dim": 128, "vocab_size": 102400})",
     [](const Hparams& h) {
       const double mscale = 0.1 * 0.707 * std::log(40) + 1;
       return h.mla.q_lora == 0 && near(h.attn_scale, mscale * mscale / std::sqrt(192.0)) &&
              near(h.rope.magnitude, 1) && !h.is_moe(0) && h.is_moe(1);
     }},
    {"Kimi K2, of V3's class and a type of its own",
     R"({"architectures": ["DeepseekV3ForCausalLM"], "model_type": "kimi_k2",
         "first_k_dense_replace": 1, "hidden_size": 7168, "intermediate_size": 18432,
         "max_position_embeddings": 131072, "n_group": 1, "n_routed_experts": 384,
         "num_attention_heads": 64, "num_hidden_layers": 61, "num_key_value_heads": 64,
         "topk_group": 1, "vocab_size": 163840})",
     [](const Hparams& h) {
       return h.moe.gating == ExpertGating::kSigmoid && h.moe.n_expert_used == 8 &&
              h.mla.q_lora == 1536 && h.moe.normalize;
     }},
    {"SmolLM3 3B",
     R"({"architectures": ["SmolLM3ForCausalLM"], "hidden_size": 2048, "intermediate_size": 11008,
         "max_position_embeddings": 65536, "no_rope_layer_interval": 4, "num_attention_heads": 16,
         "num_hidden_layers": 4, "num_key_value_heads": 4, "no_rope_layers": [1, 1, 1, 0],
         "rope_theta": 5000000.0, "sliding_window": null, "use_sliding_window": false,
         "vocab_size": 128256})",
     [](const Hparams& h) { return h.has_rope(2) && !h.has_rope(3) && h.tied; }},
    {"Command R+",
     R"({"architectures": ["CohereForCausalLM"], "hidden_size": 12288, "intermediate_size": 33792,
         "logit_scale": 0.8333333333333334, "max_position_embeddings": 131072,
         "num_attention_heads": 96, "num_hidden_layers": 64, "num_key_value_heads": 8,
         "rope_theta": 75000000.0, "use_qk_norm": true, "vocab_size": 256000})",
     [](const Hparams& h) { return h.qk_norm && h.tied && near(h.logit_scale, 0.8333333); }},
    {"GLM 4 9B 0414",
     R"({"architectures": ["Glm4ForCausalLM"], "attention_bias": true, "head_dim": 128,
         "hidden_size": 4096, "intermediate_size": 13696, "max_position_embeddings": 32768,
         "num_attention_heads": 32, "num_hidden_layers": 40, "num_key_value_heads": 2,
         "partial_rotary_factor": 0.5, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
         "vocab_size": 151552})",
     [](const Hparams& h) { return h.rope.n_rot == 64 && h.n_head_kv == 2; }},
    {"Command R, no rope_theta",
     R"({"architectures": ["CohereForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 2})",
     [](const Hparams& h) { return h.rope.base == 5e5; }},
    {"OLMo 3, no rope_theta",
     R"({"architectures": ["Olmo3ForCausalLM"], "model_type": "olmo3", "hidden_size": 64,
         "intermediate_size": 96, "num_attention_heads": 4, "num_hidden_layers": 4})",
     [](const Hparams& h) { return h.rope.base == 5e5 && h.rope_swa.base == 5e5; }},
    {"Qwen 2 VL, no rope_theta",
     R"({"architectures": ["Qwen2VLForConditionalGeneration"], "text_config": {"hidden_size": 64,
         "intermediate_size": 96, "num_attention_heads": 8, "num_hidden_layers": 2}})",
     [](const Hparams& h) { return h.rope.base == 1e6; }},
    {"Qwen 3 VL, no rope_theta",
     R"({"architectures": ["Qwen3VLForConditionalGeneration"], "text_config": {"hidden_size": 64,
         "intermediate_size": 96, "num_attention_heads": 32, "num_hidden_layers": 2}})",
     [](const Hparams& h) { return h.rope.base == 5e5; }},
    {"Qwen 2 MoE with windows: every other layer below max_window_layers",
     R"({"architectures": ["Qwen2MoeForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 5, "use_sliding_window": true,
         "sliding_window": 32, "max_window_layers": 4})",
     [](const Hparams& h) {
       return h.sliding == std::vector{true, false, true, false, false};
     }},
    {"Qwen 3 MoE with windows: all layers",
     R"({"architectures": ["Qwen3MoeForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 3, "use_sliding_window": true,
         "sliding_window": 32, "max_window_layers": 2})",
     [](const Hparams& h) { return h.window == 32 && all(h.sliding, true); }},
    {"EXAONE 4 with a period of windows",
     R"({"architectures": ["Exaone4ForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 5, "sliding_window": 32,
         "sliding_window_pattern": 4})",
     [](const Hparams& h) {
       return h.sliding == std::vector{true, true, true, false, true};
     }},
    {"EXAONE 4 with a pattern of letters",
     R"({"architectures": ["Exaone4ForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 5, "sliding_window": 32,
         "sliding_window_pattern": "LG"})",
     [](const Hparams& h) {
       return h.sliding == std::vector{true, false, true, false, false};
     }},
    {"SmolLM 3 with windows: on the layers without positions",
     R"({"architectures": ["SmolLM3ForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 4, "use_sliding_window": true,
         "sliding_window": 32, "no_rope_layer_interval": 2})",
     [](const Hparams& h) {
       return h.sliding == std::vector{false, true, false, true} && h.sliding == h.no_rope;
     }},
    {"Gemma 3: a soft cap of attention that the original does not apply",
     R"({"architectures": ["Gemma3ForCausalLM"], "attn_logit_softcapping": 5.0,
         "final_logit_softcapping": 8.0, "rope_parameters": {"full_attention": {
         "rope_type": "yarn", "factor": 4.0, "rope_theta": 1e6}}})",
     [](const Hparams& h) {
       return h.attn_softcap == 0 && h.logit_softcap == 8 && h.rope.magnitude > 1 &&
              h.rope_swa.magnitude == 1;
     }},
    {"DeepSeek V2 with norm_topk_prob: no scale on top",
     R"({"architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
         "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
         "num_hidden_layers": 2, "n_routed_experts": 8, "num_experts_per_tok": 2,
         "moe_intermediate_size": 32, "norm_topk_prob": true, "routed_scaling_factor": 16.0})",
     [](const Hparams& h) { return h.moe.normalize && h.moe.scale == 1; }},
    {"Llama with a partial_rotary_factor, which its class does not read",
     R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 2, "rope_parameters": {
         "rope_type": "default", "rope_theta": 5000.0, "partial_rotary_factor": 0.5}})",
     [](const Hparams& h) { return h.rope.n_rot == 16 && h.rope.base == 5000; }},
    {"Phi 3 with a partial_rotary_factor among the rope_parameters",
     R"({"architectures": ["Phi3ForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 2, "rope_parameters": {
         "rope_type": "default", "rope_theta": 5000.0, "partial_rotary_factor": 0.5}})",
     [](const Hparams& h) { return h.rope.n_rot == 8; }},
    {"Mistral 3's wrapper, which ties unless it says otherwise",
     R"({"architectures": ["Mistral3ForConditionalGeneration"], "text_config": {
         "model_type": "mistral", "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 8, "num_hidden_layers": 2}})",
     [](const Hparams& h) { return h.tied; }},
    {"a vision model whose text is tied by its wrapper's word",
     R"({"architectures": ["Mistral3ForConditionalGeneration"], "tie_word_embeddings": true,
         "text_config": {"model_type": "mistral", "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 8, "num_hidden_layers": 2, "tie_word_embeddings": false}})",
     [](const Hparams& h) { return h.tied; }},
    {"Qwen 2 with rope_scaling beside rope_parameters: the first counts",
     R"({"architectures": ["Qwen2ForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 128,
         "rope_theta": 5000.0, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 32}})",
     [](const Hparams& h) {
       return h.rope.scaling == RopeScaling::kYarn && h.rope.factor == 4 && h.rope.base == 5000;
     }},
    {"Qwen 2 with an empty rope_scaling beside rope_parameters",
     R"({"architectures": ["Qwen2ForCausalLM"], "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 2, "rope_scaling": {},
         "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e6}})",
     [](const Hparams& h) { return h.rope.factor == 4 && h.rope.base == 1e6; }},
    {"DeepSeek V3 with rope_scaling beside rope_parameters",
     R"({"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
         "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
         "num_hidden_layers": 4, "rope_parameters": {"rope_type": "default", "rope_theta": 1e4},
         "rope_scaling": {"type": "yarn", "factor": 4.0, "mscale": 1.0, "mscale_all_dim": 1.0,
         "original_max_position_embeddings": 32}})",
     [](const Hparams& h) {
       const double mscale = 0.1 * std::log(4) + 1;
       return near(h.attn_scale, mscale * mscale / std::sqrt(192.0)) && near(h.rope.magnitude, 1);
     }},
    {"Ministral 3, its temperature under rope_scaling",
     R"({"architectures": ["Ministral3ForCausalLM"], "model_type": "ministral3",
         "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
         "num_key_value_heads": 2, "num_hidden_layers": 2, "rope_theta": 1e6, "rope_scaling": {"rope_type": "yarn",
         "factor": 4.0, "original_max_position_embeddings": 16, "mscale": 1.0,
         "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.3}})",
     [](const Hparams& h) { return near(h.temperature_beta, 0.3) && h.temperature_floor == 16; }},
    {"Ministral 3, a temperature without scaling",
     R"({"architectures": ["Ministral3ForCausalLM"], "model_type": "ministral3",
         "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
         "num_key_value_heads": 2, "num_hidden_layers": 2, "max_position_embeddings": 256, "rope_parameters": {
         "rope_type": "default", "rope_theta": 1e6, "original_max_position_embeddings": 16,
         "llama_4_scaling_beta": 0.1}})",
     [](const Hparams& h) {
       return near(h.temperature_beta, 0.1) && h.temperature_floor == 16 &&
              h.rope.scaling == RopeScaling::kNone;
     }},
    {"DeepSeek V3 with YaRN that says no mscale",
     R"({"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
         "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
         "num_hidden_layers": 4, "rope_scaling": {"type": "yarn", "factor": 8.0,
         "original_max_position_embeddings": 32}})",
     [](const Hparams& h) {
       return near(h.rope.magnitude, 0.1 * std::log(8) + 1) &&
              near(h.attn_scale, 1 / std::sqrt(192.0));
     }},
    {"DeepSeek V2 with YaRN whose mscale_all_dim is 0",
     R"({"architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
         "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
         "num_hidden_layers": 4, "rope_scaling": {"type": "yarn", "factor": 8.0, "mscale": 0.7,
         "mscale_all_dim": 0, "original_max_position_embeddings": 32}})",
     [](const Hparams& h) {
       return near(h.rope.magnitude, 0.1 * std::log(8) + 1) &&
              near(h.attn_scale, 1 / std::sqrt(192.0));
     }},
    {"Gemma 1, its activation under the first releases' name",
     R"({"architectures": ["GemmaForCausalLM"], "hidden_act": "gelu", "hidden_size": 64,
         "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 4,
         "num_hidden_layers": 2})",
     [](const Hparams& h) { return h.activation == Activation::kGeluTanh; }},
    {"Gemma 1 with another activation",
     R"({"architectures": ["GemmaForCausalLM"], "hidden_act": "silu", "hidden_size": 64,
         "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 4,
         "num_hidden_layers": 2})",
     [](const Hparams& h) { return h.activation == Activation::kSilu; }},
    {"Gemma 2 with the exact GELU",
     R"({"architectures": ["Gemma2ForCausalLM"], "hidden_act": "silu",
         "hidden_activation": "gelu"})",
     [](const Hparams& h) { return h.activation == Activation::kGeluErf; }},
    {"Gemma 3 with the exact GELU",
     R"({"architectures": ["Gemma3ForCausalLM"], "hidden_activation": "gelu"})",
     [](const Hparams& h) { return h.activation == Activation::kGeluErf; }},
    {"DeepSeek V3 with another activation",
     R"({"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
         "hidden_act": "gelu_new", "hidden_size": 64, "intermediate_size": 96,
         "num_attention_heads": 4, "num_hidden_layers": 4})",
     [](const Hparams& h) { return h.activation == Activation::kGeluTanh; }},
    {"Llama 4 with another activation",
     R"({"architectures": ["Llama4ForCausalLM"], "hidden_act": "gelu"})",
     [](const Hparams& h) { return h.activation == Activation::kGeluErf; }},
    {"OLMo 3 with a rotation of its own for windows",
     R"({"architectures": ["Olmo3ForCausalLM"], "model_type": "olmo3", "hidden_size": 64,
         "intermediate_size": 96, "num_attention_heads": 4, "num_hidden_layers": 4,
         "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0,
         "rope_theta": 5e5}, "sliding_attention": {"rope_type": "default",
         "rope_theta": 20000.0}}})",
     [](const Hparams& h) {
       return h.rope.base == 5e5 && h.rope.factor == 8 && h.rope_swa.base == 20000 &&
              h.rope_swa.scaling == RopeScaling::kNone;
     }},
};

Result<Hparams> read(const Json& config) {
  NIBBLE_TRY(const auto folder, read_folder_config(config));
  return folder.architecture->read_hparams({folder.metadata, nullptr});
}

}  // namespace

TEST_CASE("published configurations are read as their original classes read them") {
  for (const Row& row : kRows) {
    INFO(row.model);
    const auto config = parse_json(row.config);
    REQUIRE(config);
    const auto h = read(*config);
    REQUIRE_MESSAGE(h.has_value(), (h ? "" : h.error().message));
    CHECK(row.right(*h));
  }
}
