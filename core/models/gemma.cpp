// Gemma 1 to 3: embeddings scaled by sqrt(n_embd), gated GELU (tanh), norm weights stored minus
// one; from 2 on norms before and after each branch and windows; 3 has norms of heads and a
// rotation of its own for windows. arXiv:2403.08295, arXiv:2408.00118, arXiv:2503.19786.
#include <cmath>

#include "core/base/json.h"
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr int kGemma2Period = 2, kGemma3Period = 6;  // each such layer sees everything
// The sizes whose queries are scaled by the heads' share of n_embd, which GGUF does not say.
constexpr int kGemma2Layers27B = 46, kGemma3Layers27B = 62;

constexpr std::string_view kGemmaDefaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 8192, "vocab_size": 256000,
        "num_key_value_heads": 16, "head_dim": 256, "tie_word_embeddings": true})";
constexpr std::string_view kGemma2Defaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 8192, "vocab_size": 256000,
        "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
        "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
        "tie_word_embeddings": true, "query_pre_attn_scalar": 256, "sliding_window": 4096,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0})";
constexpr std::string_view kGemma3Defaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 131072, "vocab_size": 262208,
        "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
        "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
        "tie_word_embeddings": true, "query_pre_attn_scalar": 256, "sliding_window": 4096,
        "rope_theta": 1e6, "rope_local_base_freq": 1e4, "sliding_window_pattern": 6})";

Result<Hparams> read(const HparamsReader& reader) {
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kGeluTanh));
  h.embedding_scale = std::sqrt(static_cast<float>(h.n_embd));
  return h;
}

Result<Hparams> read_windowed(const HparamsReader& reader, int period, int layers_27b) {
  NIBBLE_TRY(Hparams h, read(reader));
  NIBBLE_TRY(h.sliding, reader.windows(h.n_layer, period));
  if (h.attn_scale == 0 && h.n_layer == layers_27b)
    h.attn_scale = 1 / std::sqrt(static_cast<float>(h.n_embd / h.n_head));
  return h;
}

Result<Hparams> read_gemma(const HparamsSource& source) { return read({source, "gemma"}); }

Result<Hparams> read_gemma2(const HparamsSource& source) {
  const HparamsReader reader(source, "gemma2");
  NIBBLE_TRY(Hparams h, read_windowed(reader, kGemma2Period, kGemma2Layers27B));
  if (source.gguf) {
    NIBBLE_TRY(h.attn_softcap, reader.number_or("attn_logit_softcapping", 50));
    NIBBLE_TRY(h.logit_softcap, reader.number_or("final_logit_softcapping", 30));
  }
  return h;
}

Result<Hparams> read_gemma3(const HparamsSource& source) {
  const HparamsReader reader(source, "gemma3");
  NIBBLE_TRY(Hparams h, read_windowed(reader, kGemma3Period, kGemma3Layers27B));
  NIBBLE_TRY(h.rope_swa.base, reader.rope_base("rope.freq_base_swa", 10000));
  unscale(h.rope_swa);
  return h;
}

std::vector<TensorSpec> gemma_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd, Fix::kPlusOne).attention(Fix::kNone);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd, Fix::kPlusOne).gated_ffn();
  }
  return t.output("model.norm", "lm_head", Fix::kPlusOne).take();
}

std::vector<TensorSpec> sandwich_tensors(const Hparams& h, bool head_norms) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd, Fix::kPlusOne).attention(Fix::kNone);
    if (head_norms) {
      t.norm("attn_q_norm", "self_attn.q_norm", h.d_k, Fix::kPlusOne);
      t.norm("attn_k_norm", "self_attn.k_norm", h.d_k, Fix::kPlusOne);
    }
    t.norm("post_attention_norm", "post_attention_layernorm", h.n_embd, Fix::kPlusOne);
    t.norm("ffn_norm", "pre_feedforward_layernorm", h.n_embd, Fix::kPlusOne).gated_ffn();
    t.norm("post_ffw_norm", "post_feedforward_layernorm", h.n_embd, Fix::kPlusOne);
  }
  return t.output("model.norm", "lm_head", Fix::kPlusOne).take();
}
std::vector<TensorSpec> gemma2_tensors(const Hparams& h) { return sandwich_tensors(h, false); }
std::vector<TensorSpec> gemma3_tensors(const Hparams& h) { return sandwich_tensors(h, true); }

BlockOptions gemma2_block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.post_norm = true;
  return o;
}
BlockOptions gemma3_block(const Hparams& h, int layer) {
  BlockOptions o = gemma2_block(h, layer);
  o.qk_norm = QkNorm::kHead;
  return o;
}

Result<Metadata> gemma_config(const Json& config) {
  ConfigKeys keys(config, "gemma", kGemmaDefaults);
  keys.sizes().rope();
  // The first releases say "gelu" and mean its approximation.
  if (keys.text({"hidden_act"}, "") != "gelu") keys.activation({"hidden_act"});
  return keys.take();
}

void windowed(ConfigKeys& keys, int64_t period) {
  keys.sizes().window_layers().activation({"hidden_activation"});
  if (!keys.find({"layer_types"}))
    keys.set_flags("attention.sliding_window_pattern", all_but_each(keys.n_layer(), period));
  keys.set_number("attention.scale", 1 / std::sqrt(keys.number({"query_pre_attn_scalar"}, 256)));
}

Result<Metadata> gemma2_config(const Json& config) {
  ConfigKeys keys(config, "gemma2", kGemma2Defaults);
  windowed(keys, kGemma2Period);
  // Null is no cap, and a GGUF file without the key has the published models' caps.
  for (const char* cap : {"attn_logit_softcapping", "final_logit_softcapping"})
    keys.set_number(cap, keys.number({cap}, 0));
  return keys.rope().take();
}

// attn_logit_softcapping may stand in the config, but nothing of the original reads it.
Result<Metadata> gemma3_config(const Json& config) {
  ConfigKeys keys(config, "gemma3", kGemma3Defaults);
  windowed(keys,
           keys.integer({"sliding_window_pattern", "_sliding_window_pattern"}, kGemma3Period));
  keys.number_key("final_logit_softcapping", {"final_logit_softcapping"});
  keys.set_number("rope.freq_base_swa",
                  keys.rope_of_kinds().window_theta(keys.number({"rope_local_base_freq"}, 1e4)));
  keys.refuse(keys.flag({"use_bidirectional_attention"}, false),
              "use_bidirectional_attention (an embedding model) is not built in");
  return keys.take();
}

const Architecture kGemma{
    .gguf_name = "gemma",
    .hf_classes = {"GemmaForCausalLM"},
    .read_config = gemma_config,
    .read_hparams = read_gemma,
    .tensors = gemma_tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 1, "num_hidden_layers": 2, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["GemmaForCausalLM"],
                    "model_type": "gemma", "hidden_activation": "$activation",
                    "hidden_act": "$activation", "attention_bias": "$attn_bias"})"},
};
const Architecture kGemma2{
    .gguf_name = "gemma2",
    .hf_classes = {"Gemma2ForCausalLM"},
    .read_config = gemma2_config,
    .read_hparams = read_gemma2,
    .tensors = gemma2_tensors,
    .block = gemma2_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 4, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256, "sliding_window": 20, "query_pre_attn_scalar": 24,
                 "attn_logit_softcapping": 5.0, "final_logit_softcapping": 8.0})",
             R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256, "sliding_window": 20, "query_pre_attn_scalar": 24,
                 "attn_logit_softcapping": null, "final_logit_softcapping": null})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Gemma2ForCausalLM"],
                    "model_type": "gemma2", "hidden_activation": "$activation",
                    "hidden_act": "$activation", "attention_bias": "$attn_bias",
                    "sliding_window": "$window", "layer_types": "$layer_types",
                    "query_pre_attn_scalar": "$query_scalar",
                    "attn_logit_softcapping": "$attn_softcap",
                    "final_logit_softcapping": "$logit_softcap"})"},
};
const Architecture kGemma3{
    .gguf_name = "gemma3",
    .hf_classes = {"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"},
    .read_config = gemma3_config,
    .read_hparams = read_gemma3,
    .tensors = gemma3_tensors,
    .block = gemma3_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 1, "num_hidden_layers": 7, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256, "sliding_window": 20, "query_pre_attn_scalar": 32,
                 "rope_scaling": {"rope_type": "linear", "factor": 8.0}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Gemma3ForCausalLM"],
                    "model_type": "gemma3_text", "hidden_act": "$drop",
                    "hidden_activation": "$activation", "attention_bias": "$attn_bias",
                    "sliding_window": "$window", "layer_types": "$layer_types",
                    "query_pre_attn_scalar": "$query_scalar",
                    "attn_logit_softcapping": "$attn_softcap",
                    "final_logit_softcapping": "$logit_softcap",
                    "rope_local_base_freq": "$rope_theta_swa"})"},
};
const RegisterArchitecture registered[] = {
    RegisterArchitecture(kGemma), RegisterArchitecture(kGemma2), RegisterArchitecture(kGemma3)};

}  // namespace
}  // namespace nibble
