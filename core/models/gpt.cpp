// GPT-2, GPT-Neo, GPT-J and GPT-NeoX with Pythia. Radford 2019; Black 2021; Wang 2021; Black 2022,
// arXiv:2204.06745; Biderman 2023, arXiv:2304.01373. GPT-NeoX's GELU is the exact one, as in the
// original.
#include "core/base/json.h"
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kGpt2Defaults =
    R"({"layer_norm_epsilon": 1e-5, "n_positions": 1024, "vocab_size": 50257, "n_embd": 768,
        "n_layer": 12, "n_head": 12, "activation_function": "gelu_new",
        "tie_word_embeddings": true})";
constexpr std::string_view kGptNeoDefaults =
    R"({"layer_norm_epsilon": 1e-5, "max_position_embeddings": 2048, "vocab_size": 50257,
        "window_size": 256, "activation_function": "gelu_new", "tie_word_embeddings": true})";
constexpr std::string_view kGptJDefaults =
    R"({"layer_norm_epsilon": 1e-5, "n_positions": 2048, "vocab_size": 50400, "n_embd": 4096,
        "n_layer": 28, "n_head": 16, "rotary_dim": 64, "activation_function": "gelu_new"})";
constexpr std::string_view kNeoXDefaults =
    R"({"layer_norm_eps": 1e-5, "max_position_embeddings": 2048, "vocab_size": 50432,
        "rotary_pct": 0.25, "rotary_emb_base": 10000, "hidden_act": "gelu",
        "use_parallel_residual": true})";

Result<Hparams> read(const HparamsReader& reader, Rotation rotation, Activation activation) {
  NIBBLE_TRY(Hparams h, reader.common(rotation, activation));
  if (h.n_ff == 0) h.n_ff = 4 * h.n_embd;
  return h;
}

Result<Hparams> read_gpt2(const HparamsSource& source) {
  return read({source, "gpt2"}, Rotation::kNone, Activation::kGeluTanh);
}

Result<Hparams> read_gptneo(const HparamsSource& source) {
  const HparamsReader reader(source, "gptneo");
  NIBBLE_TRY(Hparams h, read(reader, Rotation::kNone, Activation::kGeluTanh));
  h.attn_scale = 1;
  NIBBLE_TRY(h.sliding, reader.layer_flags("attention.sliding_window_pattern", h.n_layer));
  return h;
}

Result<Hparams> read_gptj(const HparamsSource& source) {
  NIBBLE_TRY(Hparams h, read({source, "gptj"}, Rotation::kAdjacent, Activation::kGeluTanh));
  h.parallel = true;
  return h;
}

Result<Hparams> read_gptneox(const HparamsSource& source) {
  const HparamsReader reader(source, "gptneox");
  NIBBLE_TRY(Hparams h, read(reader, Rotation::kHalves, Activation::kGeluErf));
  NIBBLE_TRY(h.parallel, reader.flag_or("use_parallel_residual", true));
  h.grouped_qkv = h.hf_rows;
  return h;
}

int qkv_rows(const Hparams& h) { return h.n_head * h.d_k + h.n_head_kv * (h.d_k + h.d_v); }

// Queries, keys, values and output of classes that have a matrix for each.
void split_attention(TensorTable& t, const Hparams& h, const std::string& hf_prefix) {
  t.linear("attn_q", hf_prefix + "q_proj", h.n_head * h.d_k, h.n_embd);
  t.linear("attn_k", hf_prefix + "k_proj", h.n_head_kv * h.d_k, h.n_embd);
  t.linear("attn_v", hf_prefix + "v_proj", h.n_head_kv * h.d_v, h.n_embd);
  t.linear("attn_output", hf_prefix + "out_proj", h.n_embd, h.n_head * h.d_v);
}

TensorTable& positions(TensorTable& t, const Hparams& h) {
  return t.model().add({.gguf_name = "position_embd.weight",
                        .hf_name = "transformer.wpe.weight",
                        .shape = shape_of({h.n_ctx_train, h.n_embd})});
}

std::vector<TensorSpec> gpt2_tensors(const Hparams& h) {
  TensorTable t(h);
  positions(t.embedding("transformer.wte"), h);
  const Fix conv = Fix::kTranspose;  // Conv1D stores [in, out]
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i, "transformer.h.").norm("attn_norm", "ln_1", h.n_embd);
    t.linear("attn_qkv", "attn.c_attn", qkv_rows(h), h.n_embd, conv);
    t.linear("attn_output", "attn.c_proj", h.n_embd, h.n_head * h.d_v, conv);
    t.norm("ffn_norm", "ln_2", h.n_embd);
    t.linear("ffn_up", "mlp.c_fc", h.n_ff, h.n_embd, conv);
    t.linear("ffn_down", "mlp.c_proj", h.n_embd, h.n_ff, conv);
  }
  return t.output("transformer.ln_f").take();
}

std::vector<TensorSpec> gptneo_tensors(const Hparams& h) {
  TensorTable t(h);
  positions(t.embedding("transformer.wte"), h);
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i, "transformer.h.").norm("attn_norm", "ln_1", h.n_embd);
    split_attention(t, h, "attn.attention.");
    t.norm("ffn_norm", "ln_2", h.n_embd);
    t.linear("ffn_up", "mlp.c_fc", h.n_ff, h.n_embd);
    t.linear("ffn_down", "mlp.c_proj", h.n_embd, h.n_ff);
  }
  return t.output("transformer.ln_f").take();
}

std::vector<TensorSpec> gptj_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding("transformer.wte");
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i, "transformer.h.").norm("attn_norm", "ln_1", h.n_embd);
    split_attention(t, h, "attn.");
    t.linear("ffn_up", "mlp.fc_in", h.n_ff, h.n_embd);
    t.linear("ffn_down", "mlp.fc_out", h.n_embd, h.n_ff);
  }
  return t.output("transformer.ln_f").take();
}

std::vector<TensorSpec> gptneox_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding("gpt_neox.embed_in");
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i, "gpt_neox.layers.").norm("attn_norm", "input_layernorm", h.n_embd);
    t.linear("attn_qkv", "attention.query_key_value", qkv_rows(h), h.n_embd, Fix::kGroupedQkv);
    t.linear("attn_output", "attention.dense", h.n_embd, h.n_head * h.d_v);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    t.linear("ffn_up", "mlp.dense_h_to_4h", h.n_ff, h.n_embd);
    t.linear("ffn_down", "mlp.dense_4h_to_h", h.n_embd, h.n_ff);
  }
  return t.output("gpt_neox.final_layer_norm", "embed_out|lm_head").take();
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.norm = NormKind::kLayer;
  o.gated = false;
  return o;
}

Result<Metadata> gpt2_config(const Json& config) {
  ConfigKeys keys(config, "gpt2", kGpt2Defaults);
  keys.plain_sizes().activation({"activation_function"});
  keys.refuse(keys.flag({"scale_attn_by_inverse_layer_idx"}, false),
              "scale_attn_by_inverse_layer_idx is not built in");
  keys.refuse(!keys.flag({"scale_attn_weights"}, true), "scale_attn_weights false is not built in");
  return keys.take();
}

// attention_types: [[["global", "local"], 12]]; attention_layers, where it is there, lists them.
Result<Metadata> gptneo_config(const Json& config) {
  ConfigKeys keys(config, "gptneo", kGptNeoDefaults);
  keys.plain_sizes().activation({"activation_function"});
  keys.count("attention.sliding_window", {"window_size"});
  std::vector<bool> local;
  const size_t n_layer = keys.n_layer();
  if (const Json* types = keys.find({"attention_types"}); types && types->is_array()) {
    for (const Json& run : *types) {
      if (!run.is_array() || run.size() != 2 || !run[0].is_array() || !run[1].is_number_unsigned())
        continue;
      for (size_t k = 0; k < run[1].get<size_t>() && local.size() < n_layer; ++k)
        for (const Json& kind : run[0]) local.push_back(kind == "local");
    }
  } else {
    for (size_t i = 0; i < n_layer; ++i) local.push_back(i % 2 == 1);
  }
  keys.refuse(local.size() != n_layer, "attention_types do not name each layer");
  return keys.set_flags("attention.sliding_window_pattern", std::move(local)).take();
}

Result<Metadata> gptj_config(const Json& config) {
  ConfigKeys keys(config, "gptj", kGptJDefaults);
  keys.plain_sizes().activation({"activation_function"});
  return keys.count("rope.dimension_count", {"rotary_dim"}).take();
}

Result<Metadata> gptneox_config(const Json& config) {
  ConfigKeys keys(config, "gptneox", kNeoXDefaults);
  keys.plain_sizes().partial_rope({"rotary_emb_base"}, {"rotary_pct"}).activation({"hidden_act"});
  keys.set_flag("use_parallel_residual", keys.flag({"use_parallel_residual"}, true));
  return keys.take();
}

const Architecture kGpt2{
    .gguf_name = "gpt2",
    .hf_classes = {"GPT2LMHeadModel"},
    .read_config = gpt2_config,
    .read_hparams = read_gpt2,
    .tensors = gpt2_tensors,
    .block = block,
    .tiny = {R"({"n_embd": 64, "n_head": 4, "n_layer": 2, "vocab_size": 96, "n_positions": 128})",
             R"({"n_embd": 96, "n_head": 32, "n_layer": 2, "vocab_size": 96, "n_positions": 128})"},
    .hf_configs = {R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2",
                    "n_embd": "$n_embd", "n_inner": "$n_ff", "n_layer": "$n_layer",
                    "n_head": "$n_head", "n_positions": "$n_ctx", "n_ctx": "$n_ctx",
                    "vocab_size": "$n_vocab", "layer_norm_epsilon": "$eps",
                    "activation_function": "gelu_new", "tie_word_embeddings": "$tied"})"},
};
const Architecture kGptNeo{
    .gguf_name = "gptneo",
    .hf_classes = {"GPTNeoForCausalLM"},
    .read_config = gptneo_config,
    .read_hparams = read_gptneo,
    .tensors = gptneo_tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "num_heads": 4, "num_layers": 4, "vocab_size": 96,
                 "max_position_embeddings": 128, "window_size": 20})"},
    .hf_configs = {R"({"architectures": ["GPTNeoForCausalLM"], "model_type": "gpt_neo",
                    "hidden_size": "$n_embd", "intermediate_size": "$n_ff",
                    "num_layers": "$n_layer", "num_heads": "$n_head",
                    "max_position_embeddings": "$n_ctx", "vocab_size": "$n_vocab",
                    "layer_norm_epsilon": "$eps", "activation_function": "gelu_new",
                    "window_size": "$window", "attention_layers": "$attention_layers",
                    "attention_types": "$attention_types", "tie_word_embeddings": "$tied"})"},
};
const Architecture kGptJ{
    .gguf_name = "gptj",
    .hf_classes = {"GPTJForCausalLM"},
    .read_config = gptj_config,
    .read_hparams = read_gptj,
    .tensors = gptj_tensors,
    .block = block,
    .tiny = {R"({"n_embd": 64, "n_head": 4, "n_layer": 2, "vocab_size": 96, "n_positions": 128,
                 "rotary_dim": 8})"},
    .hf_configs = {R"({"architectures": ["GPTJForCausalLM"], "model_type": "gptj",
                    "n_embd": "$n_embd", "n_inner": "$n_ff", "n_layer": "$n_layer",
                    "n_head": "$n_head", "n_positions": "$n_ctx", "vocab_size": "$n_vocab",
                    "rotary_dim": "$n_rot", "layer_norm_epsilon": "$eps",
                    "activation_function": "gelu_new", "tie_word_embeddings": "$tied"})"},
};
const Architecture kGptNeoX{
    .gguf_name = "gptneox",
    .hf_classes = {"GPTNeoXForCausalLM"},
    .read_config = gptneox_config,
    .read_hparams = read_gptneox,
    .tensors = gptneox_tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_hidden_layers": 2, "vocab_size": 96, "max_position_embeddings": 128})",
             R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_hidden_layers": 2, "vocab_size": 96, "max_position_embeddings": 128,
                 "use_parallel_residual": false, "rotary_pct": 1.0})"},
    .hf_configs = {R"({"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox",
                    "hidden_size": "$n_embd", "intermediate_size": "$n_ff",
                    "num_hidden_layers": "$n_layer", "num_attention_heads": "$n_head",
                    "max_position_embeddings": "$n_ctx", "vocab_size": "$n_vocab",
                    "layer_norm_eps": "$eps", "hidden_act": "$activation",
                    "rotary_pct": "$partial", "rotary_emb_base": "$rope_theta",
                    "rope_scaling": "$rope_scaling", "use_parallel_residual": "$parallel",
                    "attention_bias": true, "tie_word_embeddings": "$tied"})"},
};
const RegisterArchitecture registered[] = {
    RegisterArchitecture(kGpt2), RegisterArchitecture(kGptNeo), RegisterArchitecture(kGptJ),
    RegisterArchitecture(kGptNeoX)};

}  // namespace
}  // namespace nibble
