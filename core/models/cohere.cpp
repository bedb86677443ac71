// Cohere's Command R (command-r) and Command R7B and A (cohere2): one LayerNorm without bias for
// both branches, tied and scaled logits; cohere2 has windows, and positions only on the layers with
// one.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr int kPeriod = 4;  // each fourth layer of cohere2 sees everything
constexpr std::string_view kDefaults =
    R"({"layer_norm_eps": 1e-5, "max_position_embeddings": 8192, "vocab_size": 256000,
        "logit_scale": 0.0625, "use_qk_norm": false, "tie_word_embeddings": true,
        "rope_theta": 5e5})";
constexpr std::string_view kCohere2Defaults =
    R"({"layer_norm_eps": 1e-5, "max_position_embeddings": 8192, "vocab_size": 256000,
        "logit_scale": 0.0625, "sliding_window": 4096, "sliding_window_pattern": 4,
        "tie_word_embeddings": true})";

Result<Hparams> read_with(const HparamsReader& reader) {
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kAdjacent, Activation::kSilu));
  h.parallel = true;
  return h;
}
Result<Hparams> read_command_r(const HparamsSource& source) {
  const HparamsReader reader(source, "command-r");
  NIBBLE_TRY(Hparams h, read_with(reader));
  NIBBLE_TRY(const bool says, reader.flag_or("attention.qk_norm", false));
  h.qk_norm = source.has("blk.0.attn_q_norm.weight", says);
  return h;
}
Result<Hparams> read_cohere2(const HparamsSource& source) {
  const HparamsReader reader(source, "cohere2");
  NIBBLE_TRY(Hparams h, read_with(reader));
  NIBBLE_TRY(h.sliding, reader.windows(h.n_layer, kPeriod));
  h.no_rope = h.sliding;
  h.no_rope.flip();
  return h;
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    if (h.qk_norm) {
      t.add({.gguf_name = "attn_q_norm.weight",
             .hf_name = "self_attn.q_norm.weight",
             .shape = shape_of({h.n_head, h.d_k})});
      t.add({.gguf_name = "attn_k_norm.weight",
             .hf_name = "self_attn.k_norm.weight",
             .shape = shape_of({h.n_head_kv, h.d_k})});
    }
    t.gated_ffn();
  }
  return t.output().take();
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.norm = NormKind::kLayer;
  if (h.qk_norm) o.qk_norm = QkNorm::kHeadLayer;
  return o;
}

Result<Metadata> command_r_config(const Json& config) {
  ConfigKeys keys(config, "command-r", kDefaults);
  keys.sizes().rope().activation({"hidden_act"}).number_key("logit_scale", {"logit_scale"});
  keys.set_flag("attention.qk_norm", keys.flag({"use_qk_norm"}, false));
  return keys.set_text("rope.scaling.type", "none").take();
}
Result<Metadata> cohere2_config(const Json& config) {
  ConfigKeys keys(config, "cohere2", kCohere2Defaults);
  keys.sizes().rope().activation({"hidden_act"}).number_key("logit_scale", {"logit_scale"});
  keys.window_layers();
  if (!keys.find({"layer_types"}))
    keys.set_flags("attention.sliding_window_pattern",
                   all_but_each(keys.n_layer(), keys.integer({"sliding_window_pattern"}, kPeriod)));
  return keys.set_text("rope.scaling.type", "none").take();
}

const Architecture kCommandR{
    .gguf_name = "command-r",
    .hf_classes = {"CohereForCausalLM"},
    .read_config = command_r_config,
    .read_hparams = read_command_r,
    .tensors = tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "use_qk_norm": true, "logit_scale": 0.3})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["CohereForCausalLM"],
                    "model_type": "cohere", "rms_norm_eps": "$drop", "layer_norm_eps": "$eps",
                    "logit_scale": "$logit_scale", "use_qk_norm": "$qk_norm",
                    "attention_bias": "$attn_bias"})"},
};
const Architecture kCohere2{
    .gguf_name = "cohere2",
    .hf_classes = {"Cohere2ForCausalLM", "Cohere2VisionForConditionalGeneration",
                   "AyaVisionForConditionalGeneration"},
    .read_config = cohere2_config,
    .read_hparams = read_cohere2,
    .tensors = tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 4, "vocab_size": 96,
                 "max_position_embeddings": 256, "sliding_window": 20})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Cohere2ForCausalLM"],
                    "model_type": "cohere2", "rms_norm_eps": "$drop",
                    "layer_norm_eps": "$eps", "logit_scale": "$logit_scale",
                    "sliding_window": "$window", "layer_types": "$layer_types",
                    "attention_bias": "$attn_bias"})"},
};
const RegisterArchitecture registered[] = {RegisterArchitecture(kCommandR),
                                           RegisterArchitecture(kCohere2)};

}  // namespace
}  // namespace nibble
