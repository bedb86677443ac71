// The rotation in config.json, in dictionaries of every generation: rope_theta and rope_scaling,
// rope_parameters, rope_parameters of each kind of layer.
#include <doctest/doctest.h>

#include "config_rows.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

const ConfigRow kThetas[] = {
    {"CohereForCausalLM", "", "{}", [](const Hparams& h) { return h.rope.base == 5e5; }},
    {"Olmo3ForCausalLM", "", R"({"model_type": "olmo3"})",
     [](const Hparams& h) { return h.rope.base == 5e5 && h.rope_swa.base == 5e5; }},
    {"Qwen2VLForConditionalGeneration", "", R"({"text_config": {"num_attention_heads": 8}})",
     [](const Hparams& h) { return h.rope.base == 1e6; }},
    {"Qwen3VLForConditionalGeneration", "", R"({"text_config": {"num_attention_heads": 32}})",
     [](const Hparams& h) { return h.rope.base == 5e5; }},
    {"GPTNeoXForCausalLM", "under names of its own, which count alone",
     R"({"rotary_emb_base": 5000, "rope_theta": 1e6, "rotary_pct": 0.5,
         "partial_rotary_factor": 1.0})",
     [](const Hparams& h) { return h.rope.base == 5000 && h.rope.n_rot == 8; }},
    {"GPTJForCausalLM", "which its class does not read",
     R"({"n_embd": 256, "rotary_dim": 8, "rope_theta": 1e6, "rope_scaling": {"type": "linear",
         "factor": 2.0}})",
     [](const Hparams& h) { return h.rope.base == 1e4 && h.rope.scaling == RopeScaling::kNone; }},
};

const ConfigRow kParts[] = {
    {"LlamaForCausalLM", "a class that does not read it",
     R"({"rope_parameters": {"rope_type": "default", "rope_theta": 5000.0,
         "partial_rotary_factor": 0.5}})",
     [](const Hparams& h) { return h.rope.n_rot == 16 && h.rope.base == 5000; }},
    {"Phi3ForCausalLM", "among the rope_parameters",
     R"({"rope_parameters": {"rope_type": "default", "rope_theta": 5000.0,
         "partial_rotary_factor": 0.5}})",
     [](const Hparams& h) { return h.rope.n_rot == 8; }},
};

const ConfigRow kScalings[] = {
    {"Qwen2ForCausalLM", "rope_scaling beside rope_parameters: the first counts",
     R"({"max_position_embeddings": 128, "rope_theta": 5000.0,
         "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 32}})",
     [](const Hparams& h) {
       return h.rope.scaling == RopeScaling::kYarn && h.rope.factor == 4 && h.rope.base == 5000;
     }},
    {"Qwen2ForCausalLM", "an empty rope_scaling beside rope_parameters",
     R"({"rope_scaling": {},
         "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e6}})",
     [](const Hparams& h) { return h.rope.factor == 4 && h.rope.base == 1e6; }},
    {"DeepseekV3ForCausalLM", "rope_scaling beside rope_parameters",
     R"({"model_type": "deepseek_v3",
         "rope_parameters": {"rope_type": "default", "rope_theta": 1e4},
         "rope_scaling": {"type": "yarn", "factor": 4.0, "mscale": 1.0, "mscale_all_dim": 1.0,
         "original_max_position_embeddings": 32}})",
     [](const Hparams& h) {
       const double mscale = 0.1 * std::log(4) + 1;
       return near(h.attn_scale, mscale * mscale / std::sqrt(192.0)) && near(h.rope.magnitude, 1);
     }},
    {"DeepseekV3ForCausalLM", "YaRN that says no mscale",
     R"({"model_type": "deepseek_v3", "rope_scaling": {"type": "yarn", "factor": 8.0,
         "original_max_position_embeddings": 32}})",
     [](const Hparams& h) {
       return near(h.rope.magnitude, 0.1 * std::log(8) + 1) &&
              near(h.attn_scale, 1 / std::sqrt(192.0));
     }},
    {"DeepseekV2ForCausalLM", "YaRN whose mscale_all_dim is 0",
     R"({"model_type": "deepseek_v2", "rope_scaling": {"type": "yarn", "factor": 8.0,
         "mscale": 0.7, "mscale_all_dim": 0, "original_max_position_embeddings": 32}})",
     [](const Hparams& h) {
       return near(h.rope.magnitude, 0.1 * std::log(8) + 1) &&
              near(h.attn_scale, 1 / std::sqrt(192.0));
     }},
    {"DeepseekV2ForCausalLM", "longrope",
     R"({"model_type": "deepseek_v2", "max_position_embeddings": 256, "qk_rope_head_dim": 4,
         "rope_scaling": {"type": "longrope", "short_factor": [1, 1], "long_factor": [2, 2],
         "original_max_position_embeddings": 64}})",
     [](const Hparams& h) {
       return near(h.rope.magnitude, std::sqrt(1 + std::log(4) / std::log(64)));
     }},
    {"Ministral3ForCausalLM", "a temperature under rope_scaling",
     R"({"num_key_value_heads": 2, "rope_theta": 1e6, "rope_scaling": {"rope_type": "yarn",
         "factor": 4.0, "original_max_position_embeddings": 16, "mscale": 1.0,
         "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.3}})",
     [](const Hparams& h) { return near(h.temperature_beta, 0.3) && h.temperature_floor == 16; }},
    {"Ministral3ForCausalLM", "a temperature without scaling",
     R"({"num_key_value_heads": 2, "max_position_embeddings": 256, "rope_parameters": {
         "rope_type": "default", "rope_theta": 1e6, "original_max_position_embeddings": 16,
         "llama_4_scaling_beta": 0.1}})",
     [](const Hparams& h) {
       return near(h.temperature_beta, 0.1) && h.temperature_floor == 16 &&
              h.rope.scaling == RopeScaling::kNone;
     }},
};

const ConfigRow kLengths[] = {
    {"LlamaForCausalLM", "outside and inside",
     R"({"original_max_position_embeddings": 64, "max_position_embeddings": 256,
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 32}})",
     [](const Hparams& h) { return h.rope.n_ctx_orig == 64; }},
    {"Phi3ForCausalLM", "of the class, and inside",
     R"({"max_position_embeddings": 8192, "rope_scaling": {"type": "longrope",
         "original_max_position_embeddings": 32, "short_factor": [1, 1, 1, 1, 1, 1, 1, 1],
         "long_factor": [2, 2, 2, 2, 2, 2, 2, 2]}})",
     [](const Hparams& h) {
       return h.rope.n_ctx_orig == 4096 &&
              near(h.rope.magnitude, std::sqrt(1 + std::log(2) / std::log(4096)));
     }},
    {"Phi3ForCausalLM", "a factor of longrope's own",
     R"({"original_max_position_embeddings": 64, "max_position_embeddings": 256,
         "rope_scaling": {"type": "longrope", "factor": 2.0,
         "short_factor": [1, 1, 1, 1, 1, 1, 1, 1], "long_factor": [2, 2, 2, 2, 2, 2, 2, 2]}})",
     [](const Hparams& h) {
       return near(h.rope.magnitude, std::sqrt(1 + std::log(2) / std::log(64)));
     }},
    {"Gemma3ForCausalLM", "outside, which a rotation for each kind of layer does not read",
     R"({"original_max_position_embeddings": 64, "rope_scaling": {"rope_type": "yarn",
         "factor": 4.0, "original_max_position_embeddings": 32}})",
     [](const Hparams& h) { return h.rope.n_ctx_orig == 32; }},
};

const ConfigRow kDefaults[] = {
    {"GptOssForCausalLM", "null",
     R"({"num_key_value_heads": 2, "rope_theta": 1e4, "rope_scaling": null})",
     [](const Hparams& h) {
       return h.rope.scaling == RopeScaling::kYarn && h.rope.factor == 32 && h.rope.base == 1e4;
     }},
    {"GptOssForCausalLM", "empty rope_parameters",
     R"({"num_key_value_heads": 2, "rope_parameters": {}})",
     [](const Hparams& h) {
       return h.rope.scaling == RopeScaling::kNone && h.rope.base == 150000;
     }},
    {"Ministral3ForCausalLM", "null",
     R"({"num_key_value_heads": 2, "rope_theta": 1e4, "rope_scaling": null})",
     [](const Hparams& h) {
       return h.rope.scaling == RopeScaling::kYarn && h.rope.factor == 16 && h.rope.base == 1e6 &&
              near(h.temperature_beta, 0.1);
     }},
};

const ConfigRow kKinds[] = {
    {"Gemma3ForCausalLM", "the scaling is of the layers that see everything",
     R"({"rope_parameters": {"full_attention": {"rope_type": "yarn", "factor": 4.0,
         "rope_theta": 1e6}}})",
     [](const Hparams& h) { return h.rope.magnitude > 1 && h.rope_swa.magnitude == 1; }},
    {"Gemma3ForCausalLM", "rope_scaling on top of the part",
     R"({"rope_scaling": {"rope_type": "linear", "factor": 2.0}, "rope_parameters": {
         "full_attention": {"rope_type": "default", "rope_theta": 5e4}}})",
     [](const Hparams& h) { return h.rope.factor == 2 && h.rope.base == 5e4; }},
    {"Gemma3ForCausalLM", "rope_parameters of no kind say nothing",
     R"({"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5e4}})",
     [](const Hparams& h) {
       return h.rope.base == 1e6 && h.rope.scaling == RopeScaling::kNone && h.rope_swa.base == 1e4;
     }},
    {"Olmo3ForCausalLM", "rope_parameters of no kind say nothing",
     R"({"model_type": "olmo3", "rope_parameters": {"rope_type": "linear", "factor": 4.0,
         "rope_theta": 5e4}})",
     [](const Hparams& h) { return h.rope.base == 5e5 && h.rope.scaling == RopeScaling::kNone; }},
    {"Olmo3ForCausalLM", "a rotation of its own for windows",
     R"({"model_type": "olmo3", "rope_parameters": {"full_attention": {"rope_type": "linear",
         "factor": 8.0, "rope_theta": 5e5}, "sliding_attention": {"rope_type": "default",
         "rope_theta": 20000.0}}})",
     [](const Hparams& h) {
       return h.rope.base == 5e5 && h.rope.factor == 8 && h.rope_swa.base == 20000 &&
              h.rope_swa.scaling == RopeScaling::kNone;
     }},
};

}  // namespace

TEST_CASE("rope_theta is the class's where a configuration has none") { check_rows(kThetas); }

TEST_CASE("partial_rotary_factor counts in classes that read it") { check_rows(kParts); }

TEST_CASE("a scaling is read from rope_scaling, else from rope_parameters") {
  check_rows(kScalings);
}

TEST_CASE("the length before scaling is the one outside the scaling, else the one inside") {
  check_rows(kLengths);
}

TEST_CASE("a scaling that is null is the class's own") { check_rows(kDefaults); }

TEST_CASE("each kind of layer has the rotation of its part of rope_parameters") {
  check_rows(kKinds);
}

TEST_CASE("a value of the wrong kind inside a rotation is refused by name") {
  CHECK(config_fault("Ministral3ForCausalLM", R"({"num_key_value_heads": 2, "rope_parameters": {
        "rope_type": "default", "llama_4_scaling_beta": "0.1"}})") ==
        "config.json: key 'llama_4_scaling_beta' is no number");
  CHECK(config_fault("LlamaForCausalLM", R"({"rope_parameters": {"rope_theta": "1e4"}})") ==
        "config.json: key 'rope_theta' is no number");
  CHECK(config_fault("LlamaForCausalLM", R"({"rope_scaling": {"type": "dynamic",
        "factor": [2]}})") == "config.json: key 'factor' is no number");
  CHECK(config_fault("DeepseekV3ForCausalLM", R"({"model_type": "deepseek_v3", "rope_scaling": {
        "type": "yarn", "factor": 4.0, "mscale_all_dim": true}})") ==
        "config.json: key 'mscale_all_dim' is no number");
  CHECK(config_fault("Olmo3ForCausalLM", R"({"model_type": "olmo3", "rope_parameters": {
        "full_attention": {"rope_type": "default"},
        "sliding_attention": {"rope_theta": {}}}})") ==
        "config.json: key 'rope_theta' is no number");
}

TEST_CASE("what a rotation may ask for and no family runs is refused by name") {
  CHECK(config_fault("Qwen2ForCausalLM", R"({"rope_parameters": {"full_attention": {
        "rope_type": "default"}}})") ==
        "config.json: rope_parameters of kinds of layers are not built in for 'qwen2'");
  for (const char* base : {"0", "-1e4", "0.5"})
    CHECK(config_fault("Gemma3ForCausalLM",
                       fmt::format(R"({{"rope_local_base_freq": {}}})", base).c_str()) ==
          fmt::format("key 'gemma3.rope.freq_base_swa': {}, expected 1 or more", std::stod(base)));
}
