// StarCoder 1 and what is built like it (starcoder): GPT-2's block, all queries sharing one key and
// one value. arXiv:2305.06161. StarCoder 2: LayerNorm and biases throughout, an ungated
// feed-forward. arXiv:2402.19173. The window is kept where the source tells it, as the original
// does; llama.cpp's GGUF files do not.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kDefaults =
    R"({"norm_epsilon": 1e-5, "max_position_embeddings": 4096, "vocab_size": 49152,
        "num_key_value_heads": 2, "hidden_act": "gelu_pytorch_tanh", "tie_word_embeddings": true})";

constexpr std::string_view kBigCodeDefaults =
    R"({"layer_norm_epsilon": 1e-5, "n_positions": 1024, "vocab_size": 50257, "n_embd": 768,
        "n_layer": 12, "n_head": 12, "activation_function": "gelu_pytorch_tanh",
        "multi_query": true, "tie_word_embeddings": true})";

Result<Hparams> read_bigcode(const HparamsSource& source) {
  const HparamsReader reader(source, "starcoder");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kNone, Activation::kGeluTanh));
  if (h.n_ff == 0) h.n_ff = 4 * h.n_embd;
  return h;
}

std::vector<TensorSpec> bigcode_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding("transformer.wte")
      .add({.gguf_name = "position_embd.weight",
            .hf_name = "transformer.wpe.weight",
            .shape = shape_of({h.n_ctx_train, h.n_embd})});
  const int n_qkv = h.n_head * h.d_k + h.n_head_kv * (h.d_k + h.d_v);
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i, "transformer.h.").norm("attn_norm", "ln_1", h.n_embd);
    t.linear("attn_qkv", "attn.c_attn", n_qkv, h.n_embd);
    t.linear("attn_output", "attn.c_proj", h.n_embd, h.n_head * h.d_v);
    t.norm("ffn_norm", "ln_2", h.n_embd).linear("ffn_up", "mlp.c_fc", h.n_ff, h.n_embd);
    t.linear("ffn_down", "mlp.c_proj", h.n_embd, h.n_ff);
  }
  return t.output("transformer.ln_f").take();
}

Result<Metadata> bigcode_config(const Json& config) {
  ConfigKeys keys(config, "starcoder", kBigCodeDefaults);
  keys.sizes().activation({"activation_function"});
  keys.refuse(!keys.flag({"multi_query"}, true), "multi_query false is not built in");
  keys.refuse(!keys.flag({"scale_attn_weights"}, true), "scale_attn_weights false is not built in");
  return keys.set_count("attention.head_count_kv", 1).take();
}

Result<Hparams> read(const HparamsSource& source) {
  const HparamsReader reader(source, "starcoder2");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kGeluTanh));
  if (h.window > 0) h.sliding.assign(h.n_layer, true);
  return h;
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    t.linear("ffn_up", "mlp.c_fc", h.n_ff, h.n_embd);
    t.linear("ffn_down", "mlp.c_proj", h.n_embd, h.n_ff);
  }
  return t.output().take();
}

BlockOptions block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.norm = NormKind::kLayer;
  o.gated = false;
  return o;
}

Result<Metadata> read_config(const Json& config) {
  ConfigKeys keys(config, "starcoder2", kDefaults);
  return keys.sizes().rope().activation({"hidden_act"}).window().take();
}

const Architecture kStarCoder2{
    .gguf_name = "starcoder2",
    .hf_classes = {"Starcoder2ForCausalLM"},
    .read_config = read_config,
    .read_hparams = read,
    .tensors = tensors,
    .block = block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_hidden_layers": 2, "vocab_size": 96, "max_position_embeddings": 256,
                 "sliding_window": 20})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Starcoder2ForCausalLM"],
                    "model_type": "starcoder2", "rms_norm_eps": "$drop",
                    "norm_epsilon": "$eps", "hidden_act": "gelu_pytorch_tanh",
                    "sliding_window": "$window", "use_bias": "$attn_bias"})"},
};
const Architecture kStarCoder{
    .gguf_name = "starcoder",
    .hf_classes = {"GPTBigCodeForCausalLM"},
    .read_config = bigcode_config,
    .read_hparams = read_bigcode,
    .tensors = bigcode_tensors,
    .block = block,
    .tiny = {R"({"n_embd": 64, "n_head": 4, "n_layer": 2, "vocab_size": 96, "n_positions": 128})"},
    .hf_configs = {R"({"architectures": ["GPTBigCodeForCausalLM"], "model_type": "gpt_bigcode",
                    "n_embd": "$n_embd", "n_head": "$n_head", "n_layer": "$n_layer",
                    "n_inner": "$n_ff", "n_positions": "$n_ctx", "vocab_size": "$n_vocab",
                    "layer_norm_epsilon": "$eps", "activation_function": "$activation",
                    "multi_query": true, "tie_word_embeddings": "$tied"})"},
};
const RegisterArchitecture registered[] = {RegisterArchitecture(kStarCoder),
                                           RegisterArchitecture(kStarCoder2)};

}  // namespace
}  // namespace nibble
