// What a config.json may ask for and no family runs.
#include <doctest/doctest.h>

#include "core/base/json.h"
#include "core/models/folder_config.h"

using namespace nibble;

TEST_CASE("what a published configuration may ask for and no family runs is refused by name") {
  const auto fault = [](const char* text) {
    const auto read = read_folder_config(*parse_json(text));
    return read ? "" : read.error().message;
  };
  CHECK(fault(R"({"architectures": ["Qwen2ForCausalLM"], "is_causal": false})") ==
        "config.json: is_causal false (an embedding model) is not built in");
  CHECK(fault(R"({"architectures": ["LlamaForCausalLM"], "per_layer_config": {
                  "1": {"rms_norm_eps": 0.1}}})") ==
        "config.json: per_layer_config is not built in");
  CHECK(fault(R"({"architectures": ["OlmoeForCausalLM"], "clip_qkv": 8.0})") ==
        "config.json: clip_qkv of OLMoE is not built in");
  CHECK(fault(R"({"architectures": ["Gemma3ForCausalLM"], "use_bidirectional_attention": true})") ==
        "config.json: use_bidirectional_attention (an embedding model) is not built in");
  CHECK(fault(R"({"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
                  "rope_interleave": false})") ==
        "config.json: rope_interleave false is not built in");
  CHECK(fault(R"({"architectures": ["GPTBigCodeForCausalLM"], "multi_query": false})") ==
        "config.json: multi_query false is not built in");
  CHECK(fault(R"({"architectures": ["LlamaForCausalLM"], "partial_rotary_factor": 0.5,
                  "rope_scaling": {"type": "linear", "factor": 2.0}})") ==
        "config.json: rope scaling 'linear' of a part of each head is not built in for 'llama'");
  CHECK(fault(R"({"architectures": ["LlamaForCausalLM"], "rope_scaling": {"type": "dynamic",
                  "alpha": 1000.0, "factor": 1.0}})") ==
        "config.json: dynamic rope scaling by 'alpha' is not built in");
  CHECK(fault(R"({"architectures": ["Ministral3ForCausalLM"], "model_type": "ministral3",
                  "rope_parameters": {"rope_type": "dynamic", "factor": 2.0,
                  "llama_4_scaling_beta": 0.5}})") ==
        "config.json: llama_4_scaling_beta 0.5 beside rope scaling 'dynamic' is not built in");
  CHECK(fault(R"({"architectures": ["Gemma2ForCausalLM"], "hidden_activation": "relu2"})") ==
        "config.json: activation 'relu2' is not one nibble knows");
  CHECK(fault(R"({"architectures": ["GptOssForCausalLM"], "swiglu_alpha": 1.5})") ==
        "config.json: swiglu_alpha 1.5, expected 1.702");
  CHECK(fault(R"({"architectures": ["GptOssForCausalLM"], "swiglu_limit": 8})") ==
        "config.json: swiglu_limit 8, expected 7");
  CHECK(fault(R"({"architectures": ["Gemma3ForCausalLM"], "rope_parameters": {
                  "sliding_attention": {"rope_type": "linear", "factor": 2.0}}})") ==
        "config.json: rope scaling 'linear' of 'sliding_attention' is not built in");
  CHECK(fault(R"({"architectures": ["Olmo3ForCausalLM"], "model_type": "olmo3",
                  "rope_parameters": {"sliding_attention": {"type": "yarn"}}})") ==
        "config.json: rope scaling 'yarn' of 'sliding_attention' is not built in");
}
