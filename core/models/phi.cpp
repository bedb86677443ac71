// Phi 1, 1.5 and 2 (one LayerNorm for both branches), Phi 3, 3.5 and 4 (Llama's block with fused
// matrices, longrope). arXiv:2309.05463, arXiv:2404.14219, arXiv:2412.08905. The window of Phi 3 is
// kept, as the original does.
#include "core/models/blocks.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

constexpr std::string_view kPhi2Defaults =
    R"({"layer_norm_eps": 1e-5, "max_position_embeddings": 2048, "vocab_size": 51200,
        "partial_rotary_factor": 0.5, "hidden_act": "gelu_new"})";
constexpr std::string_view kPhi3Defaults =
    R"({"rms_norm_eps": 1e-5, "max_position_embeddings": 4096, "vocab_size": 32064,
        "original_max_position_embeddings": 4096})";

Result<Hparams> read_phi2(const HparamsSource& source) {
  const HparamsReader reader(source, "phi2");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kGeluTanh));
  h.parallel = true;
  h.qk_norm = source.has("blk.0.attn_q_norm.weight", false);
  if (h.qk_norm) return unsupported("Phi with norms of queries and keys is not built in");
  return h;
}

Result<Hparams> read_phi3(const HparamsSource& source) {
  const HparamsReader reader(source, "phi3");
  NIBBLE_TRY(Hparams h, reader.common(Rotation::kHalves, Activation::kSilu));
  if (h.window > 0) h.sliding.assign(h.n_layer, true);
  return h;
}

std::vector<TensorSpec> phi2_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd).attention(Fix::kNone);
    t.linear("ffn_up", "mlp.fc1", h.n_ff, h.n_embd).linear("ffn_down", "mlp.fc2", h.n_embd, h.n_ff);
  }
  return t.output("model.final_layernorm").take();
}

std::vector<TensorSpec> phi3_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  const int n_qkv = h.n_head * h.d_k + h.n_head_kv * (h.d_k + h.d_v);
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd);
    t.linear("attn_qkv", "self_attn.qkv_proj", n_qkv, h.n_embd);
    t.linear("attn_output", "self_attn.o_proj", h.n_embd, h.n_head * h.d_v);
    t.norm("ffn_norm", "post_attention_layernorm", h.n_embd);
    t.linear("ffn_up", "mlp.gate_up_proj", 2 * h.n_ff, h.n_embd);
    t.linear("ffn_down", "mlp.down_proj", h.n_embd, h.n_ff);
  }
  return t.output().take();
}

BlockOptions phi2_block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.norm = NormKind::kLayer;
  o.gated = false;
  return o;
}

BlockOptions phi3_block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.swa_rope = false;
  return o;
}

Result<Metadata> phi2_config(const Json& config) {
  ConfigKeys keys(config, "phi2", kPhi2Defaults);
  keys.sizes().partial_rope().activation({"hidden_act"});
  keys.refuse(keys.flag({"qk_layernorm"}, false), "qk_layernorm of Phi is not built in");
  if (!keys.find({"intermediate_size", "n_inner"}))
    keys.set_count("feed_forward_length", 4 * keys.integer({"hidden_size", "n_embd"}, 0));
  return keys.take();
}
Result<Metadata> phi3_config(const Json& config) {
  ConfigKeys keys(config, "phi3", kPhi3Defaults);
  return keys.sizes().partial_rope().activation({"hidden_act"}).window().take();
}

const Architecture kPhi2{
    .gguf_name = "phi2",
    .hf_classes = {"PhiForCausalLM"},
    .read_config = phi2_config,
    .read_hparams = read_phi2,
    .tensors = phi2_tensors,
    .block = phi2_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_hidden_layers": 2, "vocab_size": 96, "max_position_embeddings": 256})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["PhiForCausalLM"],
                    "model_type": "phi", "rms_norm_eps": "$drop", "layer_norm_eps": "$eps",
                    "partial_rotary_factor": "$partial", "hidden_act": "gelu_new",
                    "qk_layernorm": false, "$names": ["self_attn.dense"]})"},
};
const Architecture kPhi3{
    .gguf_name = "phi3",
    .hf_classes = {"Phi3ForCausalLM"},
    .read_config = phi3_config,
    .read_hparams = read_phi3,
    .tensors = phi3_tensors,
    .block = phi3_block,
    .tiny = {R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 96,
                 "max_position_embeddings": 256, "sliding_window": 20})",
             R"({"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
                 "num_hidden_layers": 2, "vocab_size": 96, "max_position_embeddings": 128,
                 "original_max_position_embeddings": 40, "rope_scaling": {"type": "longrope",
                 "short_factor": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7],
                 "long_factor": [1.0, 1.9, 3.5, 5.7, 8.2, 11.1, 14.2, 17.7]}})"},
    .hf_configs = {R"({"$include": "shared", "architectures": ["Phi3ForCausalLM"],
                    "model_type": "phi3", "partial_rotary_factor": "$partial",
                    "sliding_window": "$window",
                    "original_max_position_embeddings": "$n_ctx_orig"})"},
};
const RegisterArchitecture registered[] = {RegisterArchitecture(kPhi2),
                                           RegisterArchitecture(kPhi3)};

}  // namespace
}  // namespace nibble
