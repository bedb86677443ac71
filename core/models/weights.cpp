// Binds each tensor of the table to its role. See weights.h.
#include "core/models/weights.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <variant>

#include "core/models/tensor_source.h"

namespace nibble {
namespace {

struct Slot {
  std::string_view role;
  std::variant<Norm LayerWeights::*, Linear LayerWeights::*, ExpertWeights LayerWeights::*> field;
};
using L = LayerWeights;
constexpr Slot kSlots[] = {
    {"attn_norm", &L::attn_norm},
    {"attn_norm_2", &L::attn_norm_2},
    {"post_attention_norm", &L::post_attention_norm},
    {"ffn_norm", &L::ffn_norm},
    {"post_ffw_norm", &L::post_ffw_norm},
    {"attn_q_norm", &L::attn_q_norm},
    {"attn_k_norm", &L::attn_k_norm},
    {"attn_q_a_norm", &L::attn_q_a_norm},
    {"attn_kv_a_norm", &L::attn_kv_a_norm},
    {"attn_q", &L::attn_q},
    {"attn_k", &L::attn_k},
    {"attn_v", &L::attn_v},
    {"attn_qkv", &L::attn_qkv},
    {"attn_output", &L::attn_output},
    {"attn_q_a", &L::attn_q_a},
    {"attn_q_b", &L::attn_q_b},
    {"attn_kv_a_mqa", &L::attn_kv_a_mqa},
    {"attn_k_b", &L::attn_k_b},
    {"attn_v_b", &L::attn_v_b},
    {"ffn_gate", &L::ffn_gate},
    {"ffn_up", &L::ffn_up},
    {"ffn_down", &L::ffn_down},
    {"ffn_gate_inp", &L::ffn_gate_inp},
    {"ffn_gate_inp_shexp", &L::ffn_gate_inp_shexp},
    {"ffn_gate_shexp", &L::ffn_gate_shexp},
    {"ffn_up_shexp", &L::ffn_up_shexp},
    {"ffn_down_shexp", &L::ffn_down_shexp},
    {"ffn_gate_exps", &L::ffn_gate_exps},
    {"ffn_up_exps", &L::ffn_up_exps},
    {"ffn_down_exps", &L::ffn_down_exps},
    {"attn_sinks", &L::attn_sinks},
    {"exp_probs_b", &L::exp_probs_b},
};
struct ModelSlot {
  std::string_view role;
  std::variant<Norm Weights::*, Linear Weights::*> field;
};
constexpr ModelSlot kModelSlots[] = {
    {"token_embd", &Weights::token_embd},
    {"position_embd", &Weights::position_embd},
    {"output", &Weights::output},
    {"output_norm", &Weights::output_norm},
    {"rope_freqs", &Weights::rope_freqs},
    {"rope_factors_long", &Weights::rope_factors_long},
    {"rope_factors_short", &Weights::rope_factors_short},
};

// "blk.3.attn_q.weight" -> {3, "attn_q", bias: false}; layer -1: of the whole model.
struct Name {
  int layer = -1;
  std::string_view role;
  bool bias = false;
};

Name parse_name(std::string_view name) {
  Name out;
  if (name.starts_with("blk.")) {
    const size_t dot = name.find('.', 4);
    std::from_chars(name.data() + 4, name.data() + dot, out.layer);
    name.remove_prefix(dot + 1);
  }
  const size_t dot = name.rfind('.');
  out.role = name.substr(0, dot);
  out.bias = name.substr(dot) == ".bias";
  return out;
}

class Binder {
 public:
  Binder(Weights& weights, TensorSource& source, const Hparams& h, const LoraWeights& lora)
      : w_(weights), source_(source), h_(h), lora_(lora) {}

  Result<void> bind(const TensorSpec& spec) {
    const Name name = parse_name(spec.gguf_name);
    if (name.layer < 0) {
      for (const ModelSlot& s : kModelSlots)
        if (s.role == name.role)
          return std::visit([&](auto field) { return set(w_.*field, spec, name.bias); }, s.field);
    } else {
      for (const Slot& s : kSlots)
        if (s.role == name.role)
          return std::visit(
              [&](auto field) { return set(w_.layers[name.layer].*field, spec, name.bias); },
              s.field);
    }
    return fail(ErrorKind::kInternal, "tensor '{}' has no role", spec.gguf_name);
  }

 private:
  Result<void> set(Norm& norm, const TensorSpec& spec, bool bias) {
    NIBBLE_TRY((bias ? norm.bias : norm.weight), source_.vector(spec));
    if (bias ? norm.bias : norm.weight)
      count(spec.shape.n_elements(), spec.shape.n_elements() * 4, 1);
    return {};
  }
  Result<void> set(Linear& linear, const TensorSpec& spec, bool bias) {
    if (bias) {
      if (!linear && &linear != &w_.output) return {};  // the embedding may serve as the output
      NIBBLE_TRY(linear.bias, source_.vector(spec));
      if (linear.bias) count(spec.shape.n_elements(), spec.shape.n_elements() * 4, 1);
      return {};
    }
    NIBBLE_TRY(const auto found, source_.matrices(spec));
    if (found.empty()) return {};
    linear.w = found[0];
    // An embedding is read one row at a time, unless it is the output as well (see load).
    const bool table = &linear == &w_.token_embd || &linear == &w_.position_embd;
    count_matrix(linear.w, table ? 0 : 1);
    return table ? Result<void>() : change(linear.w, spec.gguf_name);
  }
  Result<void> set(ExpertWeights& experts, const TensorSpec& spec, bool bias) {
    if (bias) {
      NIBBLE_TRY(experts.bias, source_.vector(spec));
      return {};
    }
    if (experts) return {};  // an alternative was there
    NIBBLE_TRY(experts.w, source_.matrices(spec));
    const bool routed = h_.moe.n_expert > 0 && spec.gguf_name.ends_with("_exps.weight");
    const double share = routed ? static_cast<double>(h_.moe.n_expert_used) / h_.moe.n_expert : 1;
    for (const Matrix& m : experts.w) count_matrix(m, share);
    return {};
  }
  Result<void> change(Matrix& m, const std::string& name) {
    m.low_rank = lora_.find(name);
    if (!m.low_rank) return {};
    w_.max_rank = std::max(w_.max_rank, m.low_rank->rank());
    count_matrix(m.low_rank->a, 1);
    count_matrix(m.low_rank->b, 1);
    return {};
  }
  void count_matrix(const Matrix& m, double share) {
    const uint64_t n_params = uint64_t(m.n_rows) * m.n_cols;
    count(n_params, m.row_bytes() * m.n_rows, share);
    w_.macs_per_token += static_cast<uint64_t>(n_params * share);
  }
  void count(uint64_t n_params, uint64_t n_bytes, double share) {
    w_.n_params += n_params;
    w_.n_bytes += n_bytes;
    w_.bytes_per_token += static_cast<uint64_t>(n_bytes * share);
    if (share > 0) w_.bytes_per_batch += n_bytes;
  }

  Weights& w_;
  TensorSource& source_;
  const Hparams& h_;
  const LoraWeights& lora_;
};

// The roles that a table leaves optional because they come in alternatives.
Result<void> check_complete(const Weights& w) {
  for (size_t i = 0; i < w.layers.size(); ++i) {
    const LayerWeights& l = w.layers[i];
    const bool mla = static_cast<bool>(l.attn_kv_a_mqa);
    const char* missing = nullptr;
    if (mla) {
      if (!l.attn_q && !(l.attn_q_a && l.attn_q_b)) missing = "attn_q";
    } else if (!l.attn_qkv) {
      missing = !l.attn_q ? "attn_q" : !l.attn_k ? "attn_k" : !l.attn_v ? "attn_v" : nullptr;
    }
    if (!missing && !l.ffn_up && !(l.ffn_gate_exps && l.ffn_up_exps && l.ffn_down_exps))
      missing = l.ffn_up_exps ? "ffn_gate_exps" : "ffn_up_exps";
    if (missing) return corrupt("tensor 'blk.{}.{}.weight' is missing", i, missing);
  }
  return {};
}

void visit_field(const Linear& linear, std::string_view tensor, Weights::MatrixVisitor visitor) {
  if (linear) visitor(tensor, 0, 1, linear.w);
}
void visit_field(const ExpertWeights& experts, std::string_view tensor,
                 Weights::MatrixVisitor visitor) {
  for (size_t i = 0; i < experts.w.size(); ++i) visitor(tensor, i, experts.w.size(), experts.w[i]);
}
void visit_field(const Norm&, std::string_view, Weights::MatrixVisitor) {}

}  // namespace

void Weights::visit(MatrixVisitor visitor) const {
  for (const ModelSlot& slot : kModelSlots)
    std::visit(
        [&](auto field) {
          visit_field(this->*field, fmt::format("{}.weight", slot.role), visitor);
        },
        slot.field);
  for (size_t i = 0; i < layers.size(); ++i)
    for (const Slot& slot : kSlots)
      std::visit(
          [&](auto field) {
            visit_field(layers[i].*field, fmt::format("blk.{}.{}.weight", i, slot.role), visitor);
          },
          slot.field);
}

Result<Weights> Weights::load(const WeightFile& file, const Hparams& h,
                              const std::vector<TensorSpec>& table) {
  return load(file, h, table, {});
}

Result<Weights> Weights::load(const WeightFile& file, const Hparams& h,
                              const std::vector<TensorSpec>& table, const LoraWeights& lora) {
  Weights w;
  w.layers.resize(h.n_layer);
  TensorSource source(file, h, w.owned);
  Binder binder(w, source, h, lora);
  for (const TensorSpec& spec : table) NIBBLE_CHECK(binder.bind(spec));
  NIBBLE_CHECK(check_complete(w));
  if (!w.output) {
    const Matrix& m = w.output.w = w.token_embd.w;
    w.bytes_per_token += m.row_bytes() * m.n_rows;
    w.bytes_per_batch += m.row_bytes() * m.n_rows;
    w.macs_per_token += uint64_t(m.n_rows) * m.n_cols;
  }
  return w;
}

}  // namespace nibble
