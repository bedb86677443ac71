// What a config.json means that says little or says it in two places: which keys a class reads,
// which layers have windows, whether the output is tied.
#include <doctest/doctest.h>

#include "config_rows.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

const ConfigRow kKeys[] = {
    {"GPT2LMHeadModel", "with heads of keys, which its class does not read",
     R"({"n_embd": 768, "num_key_value_heads": 4, "head_dim": 32})",
     [](const Hparams& h) { return h.n_head_kv == 12 && h.d_k == 64 && h.d_v == 64; }},
    {"GPTNeoXForCausalLM", "with heads of keys, which its class does not read",
     R"({"hidden_size": 768, "num_attention_heads": 12, "num_key_value_heads": 4})",
     [](const Hparams& h) { return h.n_head_kv == 12 && h.rope.n_rot == 16; }},
    {"GPTJForCausalLM", "with a size of heads, which its class does not read",
     R"({"n_embd": 4096, "head_dim": 32, "rotary_dim": 64})",
     [](const Hparams& h) { return h.d_k == 256 && h.rope.n_rot == 64; }},
    {"Gemma3ForCausalLM", "with a soft cap of attention, which its class does not apply",
     R"({"attn_logit_softcapping": 5.0, "final_logit_softcapping": 8.0})",
     [](const Hparams& h) { return h.attn_softcap == 0 && h.logit_softcap == 8; }},
    {"DeepseekV2ForCausalLM", "with norm_topk_prob: no scale on top",
     R"({"model_type": "deepseek_v2", "n_routed_experts": 8, "num_experts_per_tok": 2,
         "moe_intermediate_size": 32, "norm_topk_prob": true, "routed_scaling_factor": 16.0})",
     [](const Hparams& h) { return h.moe.normalize && h.moe.scale == 1; }},
    {"Ernie4_5_MoeForCausalLM", "with experts under the names of other classes",
     R"({"num_key_value_heads": 2, "num_experts": 8, "num_experts_per_tok": 3})",
     [](const Hparams& h) { return h.moe.n_expert == 8 && h.moe.n_expert_used == 3; }},
    {"DeepseekV3ForCausalLM", "with more dense layers than it has layers",
     R"({"model_type": "deepseek_v3", "num_hidden_layers": 2, "first_k_dense_replace": 3})",
     [](const Hparams& h) { return !h.is_moe(0) && !h.is_moe(1); }},
    {"PhiForCausalLM", "with an epsilon of norms that it has not",
     R"({"layer_norm_eps": 1e-3, "rms_norm_eps": 0.1})",
     [](const Hparams& h) { return near(h.eps, 1e-3); }},
};

const ConfigRow kWindows[] = {
    {"Qwen2MoeForCausalLM", "every other layer below max_window_layers",
     R"({"num_hidden_layers": 5, "use_sliding_window": true, "sliding_window": 32,
         "max_window_layers": 4})",
     [](const Hparams& h) {
       return h.sliding == std::vector{true, false, true, false, false};
     }},
    {"Qwen3MoeForCausalLM", "all layers",
     R"({"use_sliding_window": true, "sliding_window": 32, "max_window_layers": 2})",
     [](const Hparams& h) { return h.window == 32 && all(h.sliding, true); }},
    {"Exaone4ForCausalLM", "a period",
     R"({"num_hidden_layers": 5, "sliding_window": 32, "sliding_window_pattern": 4})",
     [](const Hparams& h) {
       return h.sliding == std::vector{true, true, true, false, true};
     }},
    {"Exaone4ForCausalLM", "a pattern of letters",
     R"({"num_hidden_layers": 5, "sliding_window": 32, "sliding_window_pattern": "LG"})",
     [](const Hparams& h) {
       return h.sliding == std::vector{true, false, true, false, false};
     }},
    {"SmolLM3ForCausalLM", "on the layers without positions",
     R"({"use_sliding_window": true, "sliding_window": 32, "no_rope_layer_interval": 2})",
     [](const Hparams& h) {
       return h.sliding == std::vector{false, true, false, true} && h.sliding == h.no_rope;
     }},
};

// Classes without layer_types.
const ConfigRow kEverywhere[] = {
    {"MistralForCausalLM", "",
     R"({"model_type": "mistral", "num_key_value_heads": 2, "sliding_window": 32,
         "layer_types": ["full_attention", "full_attention", "full_attention", "full_attention"]})",
     [](const Hparams& h) { return h.window == 32 && all(h.sliding, true); }},
    {"Ministral3ForCausalLM", "",
     R"({"num_key_value_heads": 2, "sliding_window": 32,
         "layer_types": ["full_attention", "full_attention", "full_attention", "full_attention"]})",
     [](const Hparams& h) { return h.window == 32 && all(h.sliding, true); }},
    {"Qwen3MoeForCausalLM", "",
     R"({"use_sliding_window": true, "sliding_window": 32,
         "layer_types": ["full_attention", "full_attention", "full_attention", "full_attention"]})",
     [](const Hparams& h) { return h.window == 32 && all(h.sliding, true); }},
};

const ConfigRow kTied[] = {
    {"Mistral3ForConditionalGeneration", "a wrapper that ties unless it says otherwise",
     R"({"text_config": {"model_type": "mistral", "num_attention_heads": 8}})",
     [](const Hparams& h) { return h.tied; }},
    {"Mistral3ForConditionalGeneration", "a text that is tied by its wrapper's word",
     R"({"tie_word_embeddings": true, "text_config": {"model_type": "mistral",
         "num_attention_heads": 8, "tie_word_embeddings": false}})",
     [](const Hparams& h) { return h.tied; }},
};

const ConfigRow kActivations[] = {
    {"GemmaForCausalLM", "under the first releases' name",
     R"({"hidden_act": "gelu", "num_key_value_heads": 4})",
     [](const Hparams& h) { return h.activation == Activation::kGeluTanh; }},
    {"GemmaForCausalLM", "another one", R"({"hidden_act": "silu", "num_key_value_heads": 4})",
     [](const Hparams& h) { return h.activation == Activation::kSilu; }},
    {"Gemma2ForCausalLM", "the exact GELU",
     R"({"hidden_act": "silu", "hidden_activation": "gelu"})",
     [](const Hparams& h) { return h.activation == Activation::kGeluErf; }},
    {"Gemma3ForCausalLM", "the exact GELU", R"({"hidden_activation": "gelu"})",
     [](const Hparams& h) { return h.activation == Activation::kGeluErf; }},
    {"DeepseekV3ForCausalLM", "another one",
     R"({"model_type": "deepseek_v3", "hidden_act": "gelu_new"})",
     [](const Hparams& h) { return h.activation == Activation::kGeluTanh; }},
    {"Llama4ForCausalLM", "another one", R"({"num_key_value_heads": 4, "hidden_act": "gelu"})",
     [](const Hparams& h) { return h.activation == Activation::kGeluErf; }},
};

}  // namespace

TEST_CASE("a configuration's keys count as its class reads them") { check_rows(kKeys); }

TEST_CASE("layers with a window are the class's where layer_types do not name them") {
  check_rows(kWindows);
}

TEST_CASE("layer_types count in classes that read them") { check_rows(kEverywhere); }

TEST_CASE("a wrapper and its text say together whether the output is tied") { check_rows(kTied); }

TEST_CASE("the activation is the configuration's") { check_rows(kActivations); }
