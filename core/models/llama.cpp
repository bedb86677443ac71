// Llama 1 to 3 and what is built like them: Mistral, Ministral, Mixtral, Yi, SmolLM 1 and 2,
// DeepSeek LLM and the distills, InternLM 3; SmolLM 3 and the mistral3 variant, which differ by a
// key or two. Touvron 2023, arXiv:2302.13971; Jiang 2023, arXiv:2310.06825; Jiang 2024,
// arXiv:2401.04088 (Mixtral).
#include "core/base/json.h"
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kLlamaDefaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 2048, "vocab_size": 32000})";
constexpr std::string_view kMistralDefaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 131072, "vocab_size": 32000,
        "num_key_value_heads": 8, "sliding_window": 4096})";
constexpr std::string_view kMinistral3Defaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 262144, "vocab_size": 131072,
        "num_key_value_heads": 8, "head_dim": 128, "rope_parameters": {"rope_type": "yarn",
        "rope_theta": 1e6, "factor": 16.0, "original_max_position_embeddings": 16384,
        "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1}})";
constexpr std::string_view kMixtralDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 131072, "vocab_size": 32000,
        "num_key_value_heads": 8, "rope_theta": 1e6, "num_local_experts": 8, "num_experts_per_tok": 2})";
constexpr std::string_view kSmolLm3Defaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 32768, "vocab_size": 128256,
        "num_key_value_heads": 4, "rope_theta": 2e6, "tie_word_embeddings": true})";
constexpr int kSmolLm3Period = 4;  // each fourth layer has no positions

Result<Hparams> read_with(const HparamsReader& reader) {
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kPermuted, Activation::kSilu));
  h.moe.normalize = true;
  if (h.window > 0) {
    NIBBLE_TRY(h.sliding, reader.windows(h.n_layer, 0));
  }
  return h;
}

Result<Hparams> read_llama(const HparamsSource& source) { return read_with({source, "llama"}); }

Result<Hparams> read_mistral3(const HparamsSource& source) {
  const HparamsReader reader(source, "mistral3");
  NIBBLE_TRY(Hparams h, read_with(reader));
  NIBBLE_TRY(h.temperature_beta, reader.number_or("attention.temperature_scale", 0));
  h.temperature_floor = static_cast<float>(h.rope.n_ctx_orig);
  return h;
}

Result<Hparams> read_smollm3(const HparamsSource& source) {
  const HparamsReader reader(source, "smollm3");
  NIBBLE_TRY(Hparams h, read_with(reader));
  NIBBLE_TRY(h.no_rope, reader.layer_flags("rope.no_rope_layers", h.n_layer));
  if (h.no_rope.empty()) {
    h.no_rope = all_but_each(h.n_layer, kSmolLm3Period);
    h.no_rope.flip();
  }
  return h;
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kRopeRows);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    if (!h.is_moe(i)) {
      t.gated_ffn();
      continue;
    }
    t.experts("block_sparse_moe.gate|mlp.gate", "block_sparse_moe.experts.{e}.w1.weight",
              "block_sparse_moe.experts.{e}.w3.weight", "block_sparse_moe.experts.{e}.w2.weight",
              "mlp.experts.");
  }
  return t.output().take();
}

BlockOptions mistral3_block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.temperature = h.temperature_beta != 0;
  return o;
}

Result<Metadata> read_llama_config(const Json& config) {
  const std::string type = ConfigKeys(config, "llama", "{}").text({"model_type"}, "llama");
  const bool mistral = type == "mistral" || type == "ministral", mixtral = type == "mixtral";
  ConfigKeys keys(config, "llama",
                  mistral   ? kMistralDefaults
                  : mixtral ? kMixtralDefaults
                            : kLlamaDefaults);
  keys.sizes().rope().activation({"hidden_act"});
  if (type == "ministral") keys.window_layers();
  if (type == "mistral" || mixtral) keys.window();
  if (mixtral) keys.experts();
  return keys.take();
}

Result<Metadata> read_mistral3_config(const Json& config) {
  // The wrapper of a vision model holds either of the two.
  const std::string type = ConfigKeys(config, "mistral3", "{}").text({"model_type"}, "ministral3");
  ConfigKeys keys(config, "mistral3", type == "mistral" ? kMistralDefaults : kMinistral3Defaults);
  keys.sizes().rope().activation({"hidden_act"}).window();
  ConfigKeys rope = keys.part(keys.rope_given());
  const double beta = rope.number({"llama_4_scaling_beta"}, 0);
  if (beta == 0) return keys.take();
  keys.set_number("attention.temperature_scale", beta);
  const std::string scaling = rope.text({"rope_type", "type"}, "default");
  keys.refuse(
      scaling == "dynamic",
      fmt::format("llama_4_scaling_beta {} beside rope scaling 'dynamic' is not built in", beta));
  // Without a scaling only the temperature needs the trained length.
  if (scaling == "default")
    keys.set_count("rope.scaling.original_context_length",
                   rope.integer({"original_max_position_embeddings"},
                                keys.integer({"max_position_embeddings"}, 0)));
  return keys.take();
}

Result<Metadata> read_smollm3_config(const Json& config) {
  ConfigKeys keys(config, "smollm3", kSmolLm3Defaults);
  keys.sizes().rope().activation({"hidden_act"});
  std::vector<bool> none;
  if (const Json* uses = keys.find({"no_rope_layers"}); uses && uses->is_array()) {
    for (const Json& x : *uses) none.push_back(x.is_number() && x == 0);
  } else if (const int64_t period = keys.integer({"no_rope_layer_interval"}, kSmolLm3Period);
             period > 0) {
    none = all_but_each(keys.n_layer(), period);
    none.flip();
  }
  // Without layer_types the layers without positions are the ones that have the window.
  if (keys.flag({"use_sliding_window"}, false)) {
    keys.window_layers();
    if (!keys.find({"layer_types"}) && !none.empty())
      keys.set_flags("attention.sliding_window_pattern", none);
  }
  if (!none.empty()) keys.set_flags("rope.no_rope_layers", std::move(none));
  return keys.take();
}

const Architecture kLlama{
    .gguf_name = "llama",
    .hf_classes = {"LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM",
                   "MixtralForCausalLM", "MinistralForCausalLM", "InternLM3ForCausalLM"},
    .read_config = read_llama_config,
    .read_hparams = read_llama,
    .tensors = tensors,
    .block = common_block,
    .tiny = {R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 96,
                 "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2,
                 "vocab_size": 96, "max_position_embeddings": 256, "rope_scaling": {
                 "rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 32}})",
             R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 96,
                 "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 32, "rope_scaling": {"type": "dynamic",
                 "factor": 4.0}})",
             R"({"model_type": "mixtral", "hidden_size": 64, "intermediate_size": 32,
                 "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2,
                 "vocab_size": 96, "max_position_embeddings": 256, "sliding_window": 24,
                 "num_local_experts": 5, "num_experts_per_tok": 2})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["LlamaForCausalLM"],
                    "model_type": "llama", "attention_bias": "$attn_bias",
                    "mlp_bias": "$mlp_bias"})",
                   R"({"$include": "shared", "architectures": ["MistralForCausalLM"],
                    "model_type": "mistral", "sliding_window": "$window"})",
                   R"({"$include": "shared", "architectures": ["MinistralForCausalLM"],
                    "model_type": "ministral", "sliding_window": "$window",
                    "layer_types": "$layer_types"})",
                   R"({"$include": "shared", "architectures": ["MixtralForCausalLM"],
                    "model_type": "mixtral", "sliding_window": "$window",
                    "num_local_experts": "$n_expert", "num_experts_per_tok": "$n_expert_used"})"},
};
const Architecture kMistral3{
    .gguf_name = "mistral3",
    .hf_classes = {"Mistral3ForConditionalGeneration", "Ministral3ForCausalLM"},
    .read_config = read_mistral3_config,
    .read_hparams = read_mistral3,
    .tensors = tensors,
    .block = mistral3_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "sliding_window": null, "rope_parameters": {
                 "rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0, "llama_4_scaling_beta": 0.1,
                 "original_max_position_embeddings": 16, "mscale": 1.0, "mscale_all_dim": 1.0}})",
             R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "sliding_window": null, "rope_parameters": {
                 "rope_type": "default", "rope_theta": 1e6, "llama_4_scaling_beta": 0.3,
                 "original_max_position_embeddings": 16}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Ministral3ForCausalLM"],
                    "model_type": "ministral3", "sliding_window": "$window",
                    "rope_scaling": "$drop", "rope_theta": "$drop",
                    "rope_parameters": "$rope_parameters"})"},
    .hf_tied = {"Mistral3ForConditionalGeneration"},
};
const Architecture kSmolLm3{
    .gguf_name = "smollm3",
    .hf_classes = {"SmolLM3ForCausalLM"},
    .read_config = read_smollm3_config,
    .read_hparams = read_smollm3,
    .tensors = tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 4, "vocab_size": 96,
                 "max_position_embeddings": 256})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["SmolLM3ForCausalLM"],
                    "model_type": "smollm3", "attention_bias": "$attn_bias",
                    "mlp_bias": "$mlp_bias", "no_rope_layers": "$rope_layers",
                    "use_sliding_window": false})"},
};
const RegisterArchitecture registered[] = {
    RegisterArchitecture(kLlama), RegisterArchitecture(kMistral3), RegisterArchitecture(kSmolLm3)};

}  // namespace
}  // namespace nibble
