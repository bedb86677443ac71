// Gemma 3: norms before and after each branch, windows on five layers of six with a rotation of
// their own, tied embeddings scaled by sqrt(n_embd). arXiv:2503.19786.
#include <cmath>

#include "core/models/blocks.h"

namespace nibble {
namespace {

constexpr int kPeriod = 6;  // each sixth layer sees everything
constexpr int kLayers27B =
    62;  // the one size whose queries are scaled by its heads' share of n_embd

Result<Hparams> read_gemma3(const HparamsSource& source) {
  const HparamsReader reader(source, "gemma3");
  NIBBLE_TRY(Hparams h, reader.common());
  set_rope_pairs(h, RopePairs::kHalves);
  h.embedding_scale = std::sqrt(static_cast<float>(h.n_embd));
  NIBBLE_TRY(h.sliding, reader.layer_flags("attention.sliding_window_pattern", h.n_layer));
  if (h.sliding.empty()) h.sliding = all_but_each(h.n_layer, kPeriod);
  NIBBLE_TRY(h.rope_swa.base, reader.number_or("rope.freq_base_swa", 10000));
  h.rope_swa.scaling = RopeScaling::kNone;
  if (h.attn_scale == 0 && h.n_layer == kLayers27B)
    h.attn_scale = 1 / std::sqrt(static_cast<float>(h.n_embd / h.n_head));
  return h;
}

std::vector<TensorSpec> gemma3_tensors(const Hparams& h) {
  TensorTable t(h);
  t.embedding();
  for (int i = 0; i < h.n_layer; ++i) {
    t.layer(i).norm("attn_norm", "input_layernorm", h.n_embd, Fix::kPlusOne).attention(Fix::kNone);
    t.norm("attn_q_norm", "self_attn.q_norm", h.d_k, Fix::kPlusOne);
    t.norm("attn_k_norm", "self_attn.k_norm", h.d_k, Fix::kPlusOne);
    t.norm("post_attention_norm", "post_attention_layernorm", h.n_embd, Fix::kPlusOne);
    t.norm("ffn_norm", "pre_feedforward_layernorm", h.n_embd, Fix::kPlusOne).gated_ffn();
    t.norm("post_ffw_norm", "post_feedforward_layernorm", h.n_embd, Fix::kPlusOne);
  }
  return t.output("model.norm", "lm_head", Fix::kPlusOne).take();
}

BlockOptions gemma3_block(const Hparams& h, int layer) {
  BlockOptions o = common_block(h, layer);
  o.post_norm = true;
  o.qk_norm = QkNorm::kHead;
  o.activation = Activation::kGeluTanh;
  return o;
}

const Architecture kGemma3{
    .gguf_name = "gemma3",
    .hf_classes = {"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"},
    .read_config = nullptr,
    .read_hparams = read_gemma3,
    .tensors = gemma3_tensors,
    .block = gemma3_block,
    .tiny = {},
};
const RegisterArchitecture registered(kGemma3);

}  // namespace
}  // namespace nibble
