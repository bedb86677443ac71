// Seed-OSS: Llama's block with biases on q, k and v, and heads wider than their share of the
// residual. ByteDance Seed, Seed-OSS model card and reference code, 2025.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kDefaults =
    R"({"rms_norm_eps": 1e-6, "max_position_embeddings": 524288, "vocab_size": 155136,
        "num_key_value_heads": 8, "head_dim": 128})";

Result<Hparams> read(const HparamsSource& source) {
  return HparamsReader(source, "seed_oss").common(Rotation::kHalves, Activation::kSilu);
}

std::vector<TensorSpec> tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    t.norm("post_attention_norm", "post_attention_layernorm", h.n_embd).gated_ffn();
  }
  return t.output().take();
}

Result<Metadata> read_config(const Json& config) {
  ConfigKeys keys(config, "seed_oss", kDefaults);
  return keys.sizes().rope().activation({"hidden_act"}).take();
}

const Architecture kSeedOss{
    .gguf_name = "seed_oss",
    .hf_classes = {"SeedOssForCausalLM"},
    .read_config = read_config,
    .read_hparams = read,
    .tensors = tensors,
    .block = common_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96, "head_dim": 32,
                 "max_position_embeddings": 256})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["SeedOssForCausalLM"],
                    "model_type": "seed_oss", "attention_bias": "$attn_bias",
                    "mlp_bias": "$mlp_bias"})"},
};
const RegisterArchitecture registered(kSeedOss);

}  // namespace
}  // namespace nibble
