// EXAONE 3 and 3.5: Llama's block under names of its own. EXAONE 4: norms after the branches, norms
// of heads, windows on three layers of four, and positions only on layers with a window (everywhere
// in the sizes without one). arXiv:2412.04862, arXiv:2507.11407.
#include "core/base/json.h"
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr int kPeriod = 4;  // each fourth layer sees everything
constexpr std::string_view kDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 2048, "vocab_size": 102400,
        "sliding_window": 4096})";
constexpr std::string_view kExaone3Defaults =
    R"({"layer_norm_epsilon": 1e-5, "max_position_embeddings": 2048, "vocab_size": 102400})";

Result<Hparams> read_exaone3(const HparamsSource& source) {
  return HparamsReader(source, "exaone").common(Rotation::kHalves, Activation::kSilu);
}

std::vector<TensorSpec> exaone3_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding("transformer.wte");
  const std::string attention = "attn.attention.";
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i, "transformer.h.").norm("attn_norm", "ln_1", h.n_embd);
    t.linear("attn_q", attention + "q_proj", h.n_head * h.d_k, h.n_embd);
    t.linear("attn_k", attention + "k_proj", h.n_head_kv * h.d_k, h.n_embd);
    t.linear("attn_v", attention + "v_proj", h.n_head_kv * h.d_v, h.n_embd);
    t.linear("attn_output", attention + "out_proj", h.n_embd, h.n_head * h.d_v);
    t.norm("ffn_norm", "ln_2", h.n_embd).linear("ffn_gate", "mlp.c_fc_0", h.n_ff, h.n_embd);
    t.linear("ffn_up", "mlp.c_fc_1", h.n_ff, h.n_embd);
    t.linear("ffn_down", "mlp.c_proj", h.n_embd, h.n_ff);
  }
  return t.output("transformer.ln_f").take();
}

Result<Metadata> exaone3_config(const Json& config) {
  ConfigKeys keys(config, "exaone", kExaone3Defaults);
  keys.sizes().rope().activation({"activation_function"});
  return keys.number_key("attention.layer_norm_rms_epsilon", {"layer_norm_epsilon"}).take();
}

Result<Hparams> read(const HparamsSource& source) {
  const HparamsReader reader(source, "exaone4");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kSilu));
  if (h.window == 0) return h;
  NIBBLE_TRY(h.sliding, reader.windows(h.n_layer, kPeriod));
  h.no_rope = h.sliding;
  h.no_rope.flip();
  return h;
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).attention(Fix::kNone);
    t.norm("attn_q_norm", "self_attn.q_norm", h.d_k).norm("attn_k_norm", "self_attn.k_norm", h.d_k);
    t.norm("post_attention_norm", "post_attention_layernorm", h.n_embd);
    t.gated_ffn().norm("post_ffw_norm", "post_feedforward_layernorm", h.n_embd);
  }
  return t.output().take();
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.swa_rope = false;
  o.pre_norm = false;
  o.post_norm = true;
  o.qk_norm = QkNorm::kHead;
  return o;
}

// The layers with a window by sliding_window_pattern: a period, or letters ("LLLG"), whose last
// layer sees everything.
std::vector<bool> pattern_layers(ConfigKeys& keys, const Json& pattern) {
  const auto* letters = pattern.get_ptr<const std::string*>();
  if (!letters || letters->empty())
    return all_but_each(keys.n_layer(), keys.integer({"sliding_window_pattern"}, kPeriod));
  std::vector<bool> sliding(keys.n_layer());
  for (size_t i = 0; i < sliding.size(); ++i) sliding[i] = (*letters)[i % letters->size()] == 'L';
  if (!sliding.empty()) sliding.back() = false;
  return sliding;
}

// layer_types says outright which layers have a window.
Result<Metadata> read_config(const Json& config) {
  ConfigKeys keys(config, "exaone4", kDefaults);
  keys.sizes().rope().activation({"hidden_act"}).window_layers();
  const Json* pattern = keys.find({"sliding_window_pattern"});
  if (!keys.find({"layer_types"}) && keys.find({"sliding_window"}) && pattern)
    keys.set_flags("attention.sliding_window_pattern", pattern_layers(keys, *pattern));
  return keys.take();
}

const Architecture kExaone4{
    .gguf_name = "exaone4",
    .hf_classes = {"Exaone4ForCausalLM"},
    .read_config = read_config,
    .read_hparams = read,
    .tensors = tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 4, "vocab_size": 96,
                 "max_position_embeddings": 256, "sliding_window": 20,
                 "sliding_window_pattern": "LLLG"})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Exaone4ForCausalLM"],
                    "model_type": "exaone4", "sliding_window": "$window",
                    "layer_types": "$layer_types"})"},
};
const Architecture kExaone3{
    .gguf_name = "exaone",
    .hf_classes = {"ExaoneForCausalLM"},
    .read_config = exaone3_config,
    .read_hparams = read_exaone3,
    .tensors = exaone3_tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "rope_scaling": {"rope_type": "llama3",
                 "factor": 8.0, "original_max_position_embeddings": 32}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["ExaoneForCausalLM"],
                    "model_type": "exaone", "rms_norm_eps": "$drop",
                    "layer_norm_epsilon": "$eps", "num_hidden_layers": "$drop",
                    "num_layers": "$n_layer", "hidden_act": "$drop",
                    "activation_function": "$activation"})"},
};
const RegisterArchitecture registered[] = {RegisterArchitecture(kExaone3),
                                           RegisterArchitecture(kExaone4)};

}  // namespace
}  // namespace nibble
