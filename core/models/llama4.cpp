// Llama 4, the text part: attention in chunks on three layers of four, the fourth without positions
// and with scaled queries; experts whose input is weighted, and one shared. Meta's model card and
// reference code, 2025.
#include <algorithm>

#include "core/base/json.h"
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr int kPeriod = 4;           // each fourth layer sees everything
constexpr int kChunk = 8192;         // where a GGUF file does not say
constexpr int kExpertsOfScout = 16;  // the size that norms queries and keys
constexpr std::string_view kDefaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 131072, "vocab_size": 202048,
        "hidden_size": 5120, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
        "num_hidden_layers": 48, "num_attention_heads": 40, "num_key_value_heads": 8,
        "head_dim": 128, "rope_theta": 5e5, "num_experts_per_tok": 1, "num_local_experts": 16,
        "interleave_moe_layer_step": 1, "use_qk_norm": true, "no_rope_layer_interval": 4,
        "attention_chunk_size": 8192, "attn_temperature_tuning": true, "floor_scale": 8192,
        "attn_scale": 0.1})";

Result<Hparams> read(const HparamsSource& source) {
  const HparamsReader reader(source, "llama4");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kAdjacent, Activation::kSilu));
  h.moe.gating = ExpertGating::kSigmoid;
  h.moe.scale_input = true;
  h.moe.n_ff_shared = h.moe.n_ff;
  const bool says = source.metadata.find("llama4.attention.sliding_window") != nullptr;
  if (!says) h.window = kChunk;
  NIBBLE_TRY(h.no_rope, reader.layer_flags("rope.no_rope_layers", h.n_layer));
  if (h.no_rope.empty() && h.window > 0) {
    h.no_rope = all_but_each(h.n_layer, kPeriod);
    h.no_rope.flip();
  }
  NIBBLE_TRY(h.sliding, reader.layer_flags("attention.sliding_window_pattern", h.n_layer));
  if (h.sliding.empty() && h.window > 0) h.sliding = all_but_each(h.n_layer, kPeriod);
  NIBBLE_TRY(h.qk_norm, reader.flag_or("attention.qk_norm", h.moe.n_expert == kExpertsOfScout));
  NIBBLE_TRY(h.temperature_beta, reader.number_or("attention.temperature_scale", 0.1));
  NIBBLE_TRY(h.temperature_floor, reader.number_or("attention.temperature_floor", kChunk));
  h.temperature_offset = 1;
  NIBBLE_TRY(const int step, reader.count_or("interleave_moe_layer_step", 1, 0, kMaxLayers));
  NIBBLE_TRY(h.moe_layer, reader.layer_flags("expert_layers", h.n_layer));
  if (h.moe_layer.empty()) {
    h.moe_layer.resize(h.n_layer);
    for (int i = 0; i < h.n_layer; ++i) h.moe_layer[i] = step > 0 && (i + 1) % step == 0;
  }
  return h;
}

// Quantized checkpoints hold each expert by itself, and as a linear layer does.
void split_experts(TensorTable& t, const Hparams& h) {
  const MoeHparams& m = h.moe;
  for (const std::string role : {"gate", "up", "down"}) {
    const bool down = role == "down";
    t.add({.gguf_name = "ffn_" + role + "_exps.weight",
           .hf_name = "feed_forward.experts.{e}." + role + "_proj.weight",
           .shape = shape_of({m.n_expert, down ? h.n_embd : m.n_ff, down ? m.n_ff : h.n_embd}),
           .required = false});
  }
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    if (!h.is_moe(i)) {
      t.gated_ffn("feed_forward.");
      continue;
    }
    const MoeHparams& m = h.moe;
    const Shape wide = shape_of({m.n_expert, m.n_ff, h.n_embd});
    t.linear("ffn_gate_inp", "feed_forward.router", m.n_expert, h.n_embd);
    for (const int part : {0, 1})
      t.add({.gguf_name = part ? "ffn_up_exps.weight" : "ffn_gate_exps.weight",
             .hf_name = "feed_forward.experts.gate_up_proj",
             .shape = wide,
             .required = false,
             .fix = Fix::kTranspose,
             .part = part,
             .n_parts = 2});
    t.add({.gguf_name = "ffn_down_exps.weight",
           .hf_name = "feed_forward.experts.down_proj",
           .shape = shape_of({m.n_expert, h.n_embd, m.n_ff}),
           .required = false,
           .fix = Fix::kTranspose});
    split_experts(t, h);
    t.shared_expert("feed_forward.shared_expert.");
  }
  return t.output().take();
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.swa_rope = false;
  o.chunk = o.window;
  o.window = 0;
  if (o.rope && h.qk_norm) o.qk_norm = QkNorm::kAfterRope;
  o.temperature = !o.rope && h.temperature_beta != 0;
  return o;
}

Result<Metadata> read_config(const Json& config) {
  ConfigKeys keys(config, "llama4", kDefaults);
  keys.count("feed_forward_length", {"intermediate_size_mlp"});
  keys.count("expert_feed_forward_length", {"intermediate_size"});
  keys.sizes().rope().activation({"hidden_act"}).experts();
  const auto list = [&](std::string_view name, auto&& flag_of, std::vector<bool> otherwise) {
    const Json* values = keys.find({name});
    if (!values || !values->is_array() || values->empty()) return otherwise;
    std::vector<bool> flags;
    for (const Json& x : *values) flags.push_back(flag_of(x));
    return flags;
  };
  const int64_t interval = std::max<int64_t>(1, keys.integer({"no_rope_layer_interval"}, kPeriod));
  std::vector<bool> none = all_but_each(keys.n_layer(), interval);
  none.flip();
  none = list(
      "no_rope_layers", [](const Json& x) { return x == 0; }, none);
  std::vector<bool> chunked = none;
  chunked.flip();
  chunked = list(
      "layer_types", [](const Json& x) { return x == "chunked_attention"; }, chunked);
  keys.set_flags("rope.no_rope_layers", none);
  keys.set_flags("attention.sliding_window_pattern", chunked);
  keys.set_count("attention.sliding_window", keys.integer({"attention_chunk_size"}, 0));
  keys.set_flag("attention.qk_norm", keys.flag({"use_qk_norm"}, true));
  const bool tuned = keys.flag({"attn_temperature_tuning"}, true);
  keys.set_number("attention.temperature_scale", tuned ? keys.number({"attn_scale"}, 0.1) : 0);
  keys.set_number("attention.temperature_floor", keys.number({"floor_scale"}, kChunk));
  keys.set_count("interleave_moe_layer_step", keys.integer({"interleave_moe_layer_step"}, 1));
  if (const Json* layers = keys.find({"moe_layers"}); layers && layers->is_array()) {
    std::vector<bool> moe(keys.n_layer());
    for (const Json& i : *layers)
      if (i.is_number_unsigned() && i.get<size_t>() < moe.size()) moe[i.get<size_t>()] = true;
    keys.set_flags("expert_layers", std::move(moe));
  }
  return keys.take();
}

const Architecture kLlama4{
    .gguf_name = "llama4",
    .hf_classes = {"Llama4ForCausalLM", "Llama4ForConditionalGeneration"},
    .read_config = read_config,
    .read_hparams = read,
    .tensors = tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 32, "intermediate_size_mlp": 96,
                 "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 4,
                 "head_dim": 16, "vocab_size": 96, "max_position_embeddings": 256,
                 "interleave_moe_layer_step": 2, "num_local_experts": 4,
                 "attention_chunk_size": 24, "floor_scale": 16, "attn_scale": 0.3})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Llama4ForCausalLM"],
                    "model_type": "llama4_text", "intermediate_size": "$n_ff_expert",
                    "intermediate_size_mlp": "$n_ff", "num_local_experts": "$n_expert",
                    "num_experts_per_tok": "$n_expert_used", "moe_layers": "$moe_layers",
                    "no_rope_layers": "$rope_layers", "layer_types": "$chunk_types",
                    "attention_chunk_size": "$window", "use_qk_norm": "$qk_norm",
                    "attn_temperature_tuning": "$temperature",
                    "attn_scale": "$temperature_beta", "floor_scale": "$temperature_floor",
                    "interleave_moe_layer_step": "$moe_interval"})"},
};
const RegisterArchitecture registered(kLlama4);

}  // namespace
}  // namespace nibble
