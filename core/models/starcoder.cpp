// StarCoder 2: LayerNorm and biases throughout, an ungated feed-forward. arXiv:2402.19173. The
// window is kept where the source tells it, as the original does; llama.cpp's GGUF files do not.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kDefaults =
    R"({"norm_epsilon": 1e-5, "max_position_embeddings": 4096, "vocab_size": 49152,
        "num_key_value_heads": 2, "hidden_act": "gelu_pytorch_tanh", "tie_word_embeddings": true})";

Result<Hparams> read(const HparamsSource& source) {
  const HparamsReader reader(source, "starcoder2");
  NIBBLE_TRY(Hparams h, reader.common());
  set_rope_pairs(h, RopePairs::kHalves);
  NIBBLE_TRY(h.activation, reader.activation_or(Activation::kGeluTanh));
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
const RegisterArchitecture registered(kStarCoder2);

}  // namespace
}  // namespace nibble
