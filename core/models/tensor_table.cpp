// See tensor_table.h. Names: gguf-py's tensor_mapping and the original checkpoints.
#include "core/models/tensor_table.h"

#include <algorithm>

namespace nibble {

Shape shape_of(std::initializer_list<int64_t> dims) {
  Shape shape;
  shape.n_dims = static_cast<int>(dims.size());
  std::ranges::copy(dims, shape.dim.begin());
  return shape;
}

TensorTable& TensorTable::layer(int i, std::string_view hf_prefix) {
  gguf_prefix_ = fmt::format("blk.{}.", i);
  hf_prefix_ = fmt::format("{}{}.", hf_prefix, i);
  return *this;
}

TensorTable& TensorTable::model() {
  gguf_prefix_.clear();
  hf_prefix_.clear();
  return *this;
}

// "a|b" and ".weight" -> "PREFIXa.weight|PREFIXb.weight".
std::string TensorTable::hf(std::string_view names, std::string_view suffix) const {
  std::string out;
  while (!names.empty()) {
    const size_t end = std::min(names.find('|'), names.size());
    if (!out.empty()) out += '|';
    out += hf_prefix_;
    out += names.substr(0, end);
    out += suffix;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return out;
}

TensorTable& TensorTable::add(TensorSpec spec) {
  spec.gguf_name = gguf_prefix_ + spec.gguf_name;
  spec.hf_name = hf(spec.hf_name, "");
  specs_.push_back(std::move(spec));
  return *this;
}

TensorTable& TensorTable::linear(std::string_view gguf, std::string_view hf_names, int n_rows,
                                 int n_cols, Fix fix, bool required) {
  TensorSpec weight{.gguf_name = gguf_prefix_ + std::string(gguf) + ".weight",
                    .hf_name = hf(hf_names, ".weight"),
                    .shape = shape_of({n_rows, n_cols}),
                    .required = required,
                    .fix = fix};
  TensorSpec bias{.gguf_name = gguf_prefix_ + std::string(gguf) + ".bias",
                  .hf_name = hf(hf_names, ".bias"),
                  .shape = shape_of({n_rows}),
                  .required = false,
                  .fix = fix == Fix::kTranspose ? Fix::kNone : fix};
  specs_.push_back(std::move(weight));
  specs_.push_back(std::move(bias));
  return *this;
}

TensorTable& TensorTable::norm(std::string_view gguf, std::string_view hf_names, int n, Fix fix,
                               bool required) {
  TensorSpec weight{.gguf_name = gguf_prefix_ + std::string(gguf) + ".weight",
                    .hf_name = hf(hf_names, ".weight"),
                    .shape = shape_of({n}),
                    .required = required,
                    .fix = fix};
  TensorSpec bias{.gguf_name = gguf_prefix_ + std::string(gguf) + ".bias",
                  .hf_name = hf(hf_names, ".bias"),
                  .shape = shape_of({n}),
                  .required = false};
  specs_.push_back(std::move(weight));
  specs_.push_back(std::move(bias));
  return *this;
}

TensorTable& TensorTable::embedding(std::string_view hf_names) {
  model();
  return add({.gguf_name = "token_embd.weight",
              .hf_name = std::string(hf_names) + ".weight",
              .shape = shape_of({h_.n_vocab, h_.n_embd})});
}

TensorTable& TensorTable::output(std::string_view norm_hf, std::string_view hf_names,
                                 Fix norm_fix) {
  model();
  norm("output_norm", norm_hf, h_.n_embd, norm_fix);
  // A GGUF file without an output matrix means that the embedding serves; a folder's config says
  // so.
  if (!h_.tied)
    linear("output", hf_names, h_.n_vocab, h_.n_embd, Fix::kNone, h_.hf_rows);
  else  // a bias there may be all the same
    add({.gguf_name = "output.bias",
         .hf_name = hf(hf_names, ".bias"),
         .shape = shape_of({h_.n_vocab}),
         .required = false});
  return *this;
}

std::vector<TensorSpec> TensorTable::take() {
  model();
  if (h_.rope.n_rot > 0)
    for (const char* name :
         {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"})
      add({.gguf_name = name,
           .hf_name = "",
           .shape = shape_of({h_.rope.n_rot / 2}),
           .required = false});
  return std::move(specs_);
}

TensorTable& TensorTable::attention(Fix rope_rows, std::string_view hf_prefix) {
  const std::string p(hf_prefix);
  const int n_q = h_.n_head * h_.d_k, n_k = h_.n_head_kv * h_.d_k, n_v = h_.n_head_kv * h_.d_v;
  linear("attn_qkv", "", n_q + n_k + n_v, h_.n_embd, Fix::kNone, false);
  linear("attn_q", p + "q_proj", n_q, h_.n_embd, rope_rows, false);
  linear("attn_k", p + "k_proj", n_k, h_.n_embd, rope_rows, false);
  linear("attn_v", p + "v_proj", n_v, h_.n_embd, Fix::kNone, false);
  return linear("attn_output", p + "o_proj|" + p + "dense", h_.n_embd, h_.n_head * h_.d_v);
}

TensorTable& TensorTable::gated_ffn(std::string_view hf_prefix) {
  const std::string p(hf_prefix);
  linear("ffn_gate", p + "gate_proj", h_.n_ff, h_.n_embd);
  linear("ffn_up", p + "up_proj", h_.n_ff, h_.n_embd);
  return linear("ffn_down", p + "down_proj", h_.n_embd, h_.n_ff);
}

TensorTable& TensorTable::experts(std::string_view router_hf, std::string_view gate_hf,
                                  std::string_view up_hf, std::string_view down_hf,
                                  std::string_view stacks_hf) {
  const MoeHparams& m = h_.moe;
  linear("ffn_gate_inp", router_hf, m.n_expert, h_.n_embd);
  const Shape wide = shape_of({m.n_expert, m.n_ff, h_.n_embd});
  const Shape tall = shape_of({m.n_expert, h_.n_embd, m.n_ff});
  // Folders have a tensor for each expert's matrix; newer ones may have one for all, gate before
  // up.
  const std::string stack(stacks_hf.empty() ? gate_hf.substr(0, gate_hf.find("{e}")) : stacks_hf);
  add({.gguf_name = "ffn_gate_exps.weight",
       .hf_name = std::string(gate_hf),
       .shape = wide,
       .required = false});
  add({.gguf_name = "ffn_up_exps.weight",
       .hf_name = std::string(up_hf),
       .shape = wide,
       .required = false});
  add({.gguf_name = "ffn_down_exps.weight",
       .hf_name = std::string(down_hf),
       .shape = tall,
       .required = false});
  for (const int part : {0, 1})
    add({.gguf_name = part ? "ffn_up_exps.weight" : "ffn_gate_exps.weight",
         .hf_name = stack + "gate_up_proj",
         .shape = wide,
         .required = false,
         .part = part,
         .n_parts = 2});
  return add({.gguf_name = "ffn_down_exps.weight",
              .hf_name = stack + "down_proj",
              .shape = tall,
              .required = false});
}

TensorTable& TensorTable::shared_expert(std::string_view hf_prefix) {
  const std::string p(hf_prefix);
  linear("ffn_gate_shexp", p + "gate_proj", h_.moe.n_ff_shared, h_.n_embd);
  linear("ffn_up_shexp", p + "up_proj", h_.moe.n_ff_shared, h_.n_embd);
  return linear("ffn_down_shexp", p + "down_proj", h_.n_embd, h_.moe.n_ff_shared);
}

}  // namespace nibble
