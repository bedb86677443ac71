// See hparams_diff.h.
#include "core/models/hparams_diff.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/models/config_values.h"
#include "core/models/rope_scaling.h"

namespace nibble {
namespace {

// What counts of a scaling: divisors, whether they stand in a tensor or follow from numbers.
void normalize_rope(RopeHparams& r, const ConfigFacts& facts) {
  const auto take = [&](const char* tensor, std::vector<double>& to) {
    const auto stored = facts.vector(tensor);
    if (!stored.empty()) to.assign(stored.begin(), stored.end());
  };
  if (r.scaling == RopeScaling::kLongrope) {
    if (r.factors.empty()) take("rope_factors_short.weight", r.factors);
    if (r.long_factors.empty()) take("rope_factors_long.weight", r.long_factors);
    r.factor = 1;
    return;
  }
  if (r.scaling == RopeScaling::kLlama3)
    r.factors = llama3_factors(r), r.scaling = RopeScaling::kNone;
  else if (r.scaling == RopeScaling::kNone)
    take("rope_freqs.weight", r.factors);
  if (r.scaling == RopeScaling::kNone) r.factor = 1, r.n_ctx_orig = 0, r.low_freq = r.high_freq = 0;
}

void normalize(Hparams& h, const WeightFile& gguf) {
  const ConfigFacts facts{h, gguf};
  normalize_rope(h.rope, facts);
  normalize_rope(h.rope_swa, facts);
  h.tied = false;  // whether there is an output matrix tells
  if (h.attn_scale == 0) h.attn_scale = 1 / std::sqrt(static_cast<float>(h.d_k));
  if (h.temperature_beta == 0) h.temperature_floor = h.temperature_offset = 0;
  const auto n = static_cast<size_t>(h.n_layer);
  if (h.window == 0) h.sliding.clear();
  h.sliding.resize(n);
  h.no_rope.resize(n);
  if (h.moe_layer.empty()) h.moe_layer.resize(n, h.moe.n_expert > 0);
}

class Comparison {
 public:
  explicit Comparison(double tolerance) : tolerance_(tolerance) {}

  // What was compared is the same in b afterwards.
  void all(const Hparams& a, Hparams& b);
  std::vector<HparamsDifference> take() { return std::move(out_); }

 private:
  void rope(const RopeHparams& a, RopeHparams& b);
  void moe(const MoeHparams& a, MoeHparams& b);
  void mla(const MlaHparams& a, MlaHparams& b);

  template <class T>
  bool same(const T& a, const T& b) const {
    return a == b;
  }
  bool same(double a, double b) const {
    return std::abs(a - b) <= tolerance_ * std::max(std::abs(a), std::abs(b));
  }
  bool same(float a, float b) const { return same(double{a}, double{b}); }
  bool same(const std::vector<double>& a, const std::vector<double>& b) const {
    return std::ranges::equal(a, b, [&](double x, double y) { return same(x, y); });
  }
  template <class T>
  static std::string text(const T& value) {
    if constexpr (std::is_enum_v<T>)
      return std::to_string(static_cast<int>(value));
    else
      return fmt::format("{}", value);
  }
  template <class T>
  void field(const char* name, const T& a, T& b) {
    if (!same(a, b)) out_.push_back({group_ + name, text(a), text(b)});
    b = a;
  }

  double tolerance_;
  std::string group_;
  std::vector<HparamsDifference> out_;
};

#define NIBBLE_FIELD(name) field(#name, a.name, b.name)
void Comparison::rope(const RopeHparams& a, RopeHparams& b) {
  NIBBLE_FIELD(base);
  NIBBLE_FIELD(n_rot);
  NIBBLE_FIELD(first);
  NIBBLE_FIELD(pairs);
  NIBBLE_FIELD(scaling);
  NIBBLE_FIELD(factor);
  NIBBLE_FIELD(n_ctx_orig);
  NIBBLE_FIELD(beta_fast);
  NIBBLE_FIELD(beta_slow);
  NIBBLE_FIELD(ext_factor);
  NIBBLE_FIELD(truncate);
  NIBBLE_FIELD(low_freq);
  NIBBLE_FIELD(high_freq);
  NIBBLE_FIELD(magnitude);
  NIBBLE_FIELD(factors);
  NIBBLE_FIELD(long_factors);
}

void Comparison::moe(const MoeHparams& a, MoeHparams& b) {
  NIBBLE_FIELD(n_expert);
  NIBBLE_FIELD(n_expert_used);
  NIBBLE_FIELD(n_ff);
  NIBBLE_FIELD(n_ff_shared);
  NIBBLE_FIELD(gating);
  NIBBLE_FIELD(normalize);
  NIBBLE_FIELD(scale);
  NIBBLE_FIELD(n_group);
  NIBBLE_FIELD(n_group_used);
  NIBBLE_FIELD(group_top);
  NIBBLE_FIELD(scale_input);
}

void Comparison::mla(const MlaHparams& a, MlaHparams& b) {
  NIBBLE_FIELD(q_lora);
  NIBBLE_FIELD(kv_lora);
  NIBBLE_FIELD(d_nope);
  NIBBLE_FIELD(d_rope);
  NIBBLE_FIELD(d_v);
  NIBBLE_FIELD(eps);
}

void Comparison::all(const Hparams& a, Hparams& b) {
  NIBBLE_FIELD(arch);
  NIBBLE_FIELD(hf_rows);
  NIBBLE_FIELD(n_vocab);
  NIBBLE_FIELD(n_ctx_train);
  NIBBLE_FIELD(n_embd);
  NIBBLE_FIELD(n_layer);
  NIBBLE_FIELD(n_head);
  NIBBLE_FIELD(n_head_kv);
  NIBBLE_FIELD(d_k);
  NIBBLE_FIELD(d_v);
  NIBBLE_FIELD(n_ff);
  NIBBLE_FIELD(eps);
  NIBBLE_FIELD(tied);
  NIBBLE_FIELD(window);
  NIBBLE_FIELD(sliding);
  NIBBLE_FIELD(no_rope);
  NIBBLE_FIELD(attn_scale);
  NIBBLE_FIELD(attn_softcap);
  NIBBLE_FIELD(logit_softcap);
  NIBBLE_FIELD(logit_scale);
  NIBBLE_FIELD(embedding_scale);
  NIBBLE_FIELD(residual_scale);
  NIBBLE_FIELD(activation);
  NIBBLE_FIELD(clamp_kqv);
  NIBBLE_FIELD(temperature_beta);
  NIBBLE_FIELD(temperature_floor);
  NIBBLE_FIELD(temperature_offset);
  NIBBLE_FIELD(moe_layer);
  NIBBLE_FIELD(parallel);
  NIBBLE_FIELD(alibi);
  NIBBLE_FIELD(qk_norm);
  NIBBLE_FIELD(bias);
  NIBBLE_FIELD(grouped_qkv);
  group_ = "rope.";
  rope(a.rope, b.rope);
  group_ = "rope_swa.";
  rope(a.rope_swa, b.rope_swa);
  group_ = "moe.";
  moe(a.moe, b.moe);
  group_ = "mla.";
  mla(a.mla, b.mla);
  if (a != b) out_.push_back({"of another name", "", ""});  // it is missing above
}
#undef NIBBLE_FIELD

}  // namespace

std::vector<HparamsDifference> differences(Hparams a, Hparams b, const WeightFile& gguf,
                                           double tolerance) {
  normalize(a, gguf);
  normalize(b, gguf);
  Comparison comparison(tolerance);
  comparison.all(a, b);
  return comparison.take();
}

}  // namespace nibble
