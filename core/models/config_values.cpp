// See config_values.h. Names and rules: the configuration classes of transformers.
#include "core/models/config_values.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/assert.h"
#include "core/models/rope_scaling.h"

namespace nibble {
namespace {

using Value = std::optional<Json>;

Json real(double x) { return short_number(x); }

Json count_or_null(int n) { return n > 0 ? Json(n) : Json(nullptr); }

std::string activation_name(Activation f) {
  switch (f) {
    case Activation::kGeluErf:
      return "gelu";
    case Activation::kGeluTanh:
      return "gelu_pytorch_tanh";
    case Activation::kRelu:
      return "relu";
    default:
      return "silu";
  }
}

// f(layer) of each.
template <class F>
Json each_layer(const Hparams& h, F f) {
  Json out = Json::array();
  for (int i = 0; i < h.n_layer; ++i) out.push_back(f(i));
  return out;
}

Value layer_types(const ConfigFacts& c, const char* sliding) {
  if (c.h.window == 0) return std::nullopt;
  return each_layer(c.h, [&](int i) { return c.h.is_sliding(i) ? sliding : "full_attention"; });
}

// Layers with experts, or without.
Json layers_with_experts(const Hparams& h, bool wanted) {
  Json out = Json::array();
  for (int i = 0; i < h.n_layer; ++i)
    if (h.is_moe(i) == wanted) out.push_back(i);
  return out;
}

// Of layers with experts, the last one, -1 where that is the last of all.
int last_expert_layer(const Hparams& h) {
  int last = h.n_layer - 1;
  while (last >= 0 && !h.is_moe(last)) --last;
  return last == h.n_layer - 1 ? -1 : last;
}

// From the first layer with experts to the second; 1 where there is none.
int expert_interval(const Hparams& h) {
  const Json layers = layers_with_experts(h, true);
  return layers.size() < 2 ? 1 : layers[1].get<int>() - layers[0].get<int>();
}

// GPT-Neo's: runs of a list of layers and how often it stands; here once, of all layers.
Json attention_types(const Hparams& h) {
  Json kinds = each_layer(h, [&](int i) { return h.is_sliding(i) ? "local" : "global"; });
  return Json::array({Json::array({std::move(kinds), 1})});
}

int n_dense_layers(const Hparams& h) {
  int n = 0;
  while (n < h.n_layer && !h.is_moe(n)) ++n;
  return n;
}

Json numbers(const std::vector<float>& values) {
  Json out = Json::array();
  for (const float x : values) out.push_back(real(x));
  return out;
}

std::vector<float> floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

double yarn_magnitude(const RopeHparams& r) { return 0.1 * std::log(std::max(1.0, r.factor)) + 1; }

Json yarn(const RopeHparams& r) {
  Json out = {{"rope_type", "yarn"},
              {"factor", real(r.factor)},
              {"original_max_position_embeddings", r.n_ctx_orig},
              {"beta_fast", real(r.beta_fast)},
              {"beta_slow", real(r.beta_slow)}};
  if (!r.truncate) out["truncate"] = false;
  if (std::abs(r.magnitude - yarn_magnitude(r)) > 1e-6) out["attention_factor"] = real(r.magnitude);
  return out;
}

Json longrope(const ConfigFacts& c) {
  const RopeHparams& r = c.h.rope;
  const auto factors = [&](const char* tensor, const std::vector<double>& own) {
    const auto stored = c.vector(tensor);
    return numbers(stored.empty() ? floats(own) : stored);
  };
  return {{"type", "longrope"},
          {"short_factor", factors("rope_factors_short.weight", r.factors)},
          {"long_factor", factors("rope_factors_long.weight", r.long_factors)}};
}

Json llama3(const RopeHparams& r) {
  return {{"rope_type", "llama3"},
          {"factor", real(r.factor)},
          {"low_freq_factor", real(r.low_freq)},
          {"high_freq_factor", real(r.high_freq)},
          {"original_max_position_embeddings", r.n_ctx_orig}};
}

Value rope_scaling(const ConfigFacts& c) {
  const RopeHparams& r = c.h.rope;
  if (const auto divisors = c.vector("rope_freqs.weight"); !divisors.empty()) {
    const auto scaling = llama3_scaling(r, c.h.n_ctx_train, divisors);
    return scaling ? Value(llama3(*scaling)) : std::nullopt;
  }
  switch (r.scaling) {
    case RopeScaling::kLinear:
      return Json{{"rope_type", "linear"}, {"factor", real(r.factor)}};
    case RopeScaling::kDynamic:
      return Json{{"rope_type", "dynamic"}, {"factor", real(r.factor)}};
    case RopeScaling::kYarn:
      return yarn(r);
    case RopeScaling::kLlama3:
      return llama3(r);
    case RopeScaling::kLongrope:
      return longrope(c);
    default:
      return std::nullopt;
  }
}

// YaRN whose magnitude stands in two factors that cancel in the rotation and square in the scores.
Value rope_scaling_mscale(const ConfigFacts& c) {
  Value out = rope_scaling(c);
  const double all = c.number("rope.scaling.yarn_log_multiplier").value_or(0) / 0.1;
  if (!out || c.h.rope.scaling != RopeScaling::kYarn || all == 0) return out;
  if (std::abs(c.h.rope.magnitude - 1) <= 1e-6) out->erase("attention_factor");
  (*out)["mscale"] = (*out)["mscale_all_dim"] = real(all);
  return out;
}

Value rope_parameters(const ConfigFacts& c) {
  Json out = rope_scaling(c).value_or(Json{{"rope_type", "default"}});
  out["rope_theta"] = real(c.h.rope.base);
  if (c.h.temperature_beta == 0) return out;
  out["llama_4_scaling_beta"] = real(c.h.temperature_beta);
  out["original_max_position_embeddings"] = static_cast<int64_t>(c.h.temperature_floor);
  return out;
}

// A rotation for each kind of layer, scaled where there is no window.
Value rope_by_kind(const ConfigFacts& c) {
  Json full = rope_scaling(c).value_or(Json{{"rope_type", "default"}});
  full["rope_theta"] = real(c.h.rope.base);
  const Json sliding = {{"rope_type", "default"}, {"rope_theta", real(c.h.rope_swa.base)}};
  return Json{{"full_attention", std::move(full)}, {"sliding_attention", sliding}};
}

// 1 / scale^2, a whole number where it is one.
Json query_scalar(const Hparams& h) {
  if (h.attn_scale == 0) return h.d_k;
  const double x = 1 / (double{h.attn_scale} * h.attn_scale);
  return std::abs(x - std::round(x)) < 1e-3 ? Json(static_cast<int64_t>(std::round(x))) : real(x);
}

using Make = Value (*)(const ConfigFacts&);
#define NIBBLE_VALUE(name, ...)                \
  {                                            \
    name, [](const ConfigFacts& c) -> Value {  \
      [[maybe_unused]] const Hparams& h = c.h; \
      return __VA_ARGS__;                      \
    }                                          \
  }
const std::map<std::string_view, Make>& values() {
  static const std::map<std::string_view, Make> all = {
      NIBBLE_VALUE("n_layer", Json(h.n_layer)),
      NIBBLE_VALUE("n_ctx", Json(h.n_ctx_train)),
      NIBBLE_VALUE("n_embd", Json(h.n_embd)),
      NIBBLE_VALUE("n_ff", Json(h.n_ff)),
      NIBBLE_VALUE("n_head", Json(h.n_head)),
      NIBBLE_VALUE("n_head_kv", Json(h.n_head_kv)),
      NIBBLE_VALUE("d_head", Json(h.d_k)),
      NIBBLE_VALUE("n_vocab", Json(h.n_vocab)),
      NIBBLE_VALUE("eps", real(h.eps)),
      NIBBLE_VALUE("tied", Json(!c.has("output.weight"))),
      NIBBLE_VALUE("activation", Json(activation_name(h.activation))),
      NIBBLE_VALUE("attn_bias", Json(c.has("blk.0.attn_q.bias") || c.has("blk.0.attn_qkv.bias"))),
      NIBBLE_VALUE("mlp_bias", Json(c.has("blk.0.ffn_up.bias"))),
      NIBBLE_VALUE("parallel", Json(h.parallel)),
      NIBBLE_VALUE("alibi", Json(h.alibi)),
      NIBBLE_VALUE("qk_norm", Json(h.qk_norm)),
      NIBBLE_VALUE("rope_theta", real(h.rope.base)),
      NIBBLE_VALUE("rope_theta_swa", real(h.rope_swa.base)),
      NIBBLE_VALUE("rope_scaling", rope_scaling(c)),
      NIBBLE_VALUE("rope_scaling_mscale", rope_scaling_mscale(c)),
      NIBBLE_VALUE("rope_parameters", rope_parameters(c)),
      NIBBLE_VALUE("rope_by_kind", rope_by_kind(c)),
      NIBBLE_VALUE("n_ctx_orig", Json(h.rope.n_ctx_orig)),
      NIBBLE_VALUE("n_rot", Json(h.rope.n_rot)),
      NIBBLE_VALUE("partial", Json(static_cast<double>(h.rope.n_rot) / h.d_k)),
      NIBBLE_VALUE("window", count_or_null(h.window)),
      NIBBLE_VALUE("has_window", Json(h.window > 0)),
      NIBBLE_VALUE("layer_types", layer_types(c, "sliding_attention")),
      NIBBLE_VALUE("chunk_types", layer_types(c, "chunked_attention")),
      NIBBLE_VALUE("rope_layers", each_layer(h, [&](int i) { return h.has_rope(i) ? 1 : 0; })),
      NIBBLE_VALUE("attention_layers",
                   each_layer(h, [&](int i) { return h.is_sliding(i) ? "local" : "global"; })),
      NIBBLE_VALUE("attn_scale",
                   real(h.attn_scale != 0 ? h.attn_scale : 1 / std::sqrt(float(h.d_k)))),
      NIBBLE_VALUE("query_scalar", query_scalar(h)),
      NIBBLE_VALUE("clamp_kqv", h.clamp_kqv > 0 ? Value(real(h.clamp_kqv)) : Json(nullptr)),
      NIBBLE_VALUE("attn_softcap",
                   h.attn_softcap > 0 ? Value(real(h.attn_softcap)) : Json(nullptr)),
      NIBBLE_VALUE("logit_softcap",
                   h.logit_softcap > 0 ? Value(real(h.logit_softcap)) : Json(nullptr)),
      NIBBLE_VALUE("embedding_scale", real(h.embedding_scale)),
      NIBBLE_VALUE("residual_scale", real(h.residual_scale)),
      NIBBLE_VALUE("logit_scale", real(h.logit_scale)),
      NIBBLE_VALUE("logit_divisor", real(1 / h.logit_scale)),
      NIBBLE_VALUE("temperature", Json(h.temperature_beta != 0)),
      NIBBLE_VALUE("temperature_beta", real(h.temperature_beta)),
      NIBBLE_VALUE("temperature_floor", Json(static_cast<int64_t>(h.temperature_floor))),
      NIBBLE_VALUE("n_expert", Json(h.moe.n_expert)),
      NIBBLE_VALUE("n_expert_used", Json(h.moe.n_expert_used)),
      NIBBLE_VALUE("n_ff_expert", Json(h.moe.n_ff)),
      NIBBLE_VALUE("n_ff_shared", Json(h.moe.n_ff_shared)),
      NIBBLE_VALUE("n_shared", Json(h.moe.n_ff > 0 ? h.moe.n_ff_shared / h.moe.n_ff : 0)),
      NIBBLE_VALUE("experts_normalize", Json(h.moe.normalize)),
      NIBBLE_VALUE("experts_scale", real(h.moe.scale)),
      NIBBLE_VALUE("topk_method", Json(h.moe.n_group > 1 ? "group_limited_greedy" : "greedy")),
      NIBBLE_VALUE("n_group", Json(h.moe.n_group)),
      NIBBLE_VALUE("n_group_used", Json(h.moe.n_group_used)),
      NIBBLE_VALUE("gating", Json(h.moe.gating == ExpertGating::kSigmoid ? "sigmoid" : "softmax")),
      NIBBLE_VALUE("n_dense", Json(n_dense_layers(h))),
      NIBBLE_VALUE("moe_layers", layers_with_experts(h, true)),
      NIBBLE_VALUE("last_moe", Json(last_expert_layer(h))),
      NIBBLE_VALUE("moe_interval", Json(expert_interval(h))),
      NIBBLE_VALUE("attention_types", attention_types(h)),
      NIBBLE_VALUE("dense_layers", layers_with_experts(h, false)),
      NIBBLE_VALUE("q_lora", count_or_null(h.mla.q_lora)),
      NIBBLE_VALUE("kv_lora", Json(h.mla.kv_lora)),
      NIBBLE_VALUE("d_nope", Json(h.mla.d_nope)),
      NIBBLE_VALUE("d_rope", Json(h.mla.d_rope)),
      NIBBLE_VALUE("d_value", Json(h.mla.d_v)),
  };
  return all;
}
#undef NIBBLE_VALUE

}  // namespace

std::vector<float> ConfigFacts::vector(std::string_view tensor) const {
  const TensorView* t = gguf.find(tensor);
  if (!t || t->shape.n_elements() > 1 << 20) return {};
  std::vector<float> out(static_cast<size_t>(t->shape.n_elements()));
  decode_rows(*t, 0, t->shape.n_rows(), out.data());
  return out;
}

std::optional<double> ConfigFacts::number(std::string_view key) const {
  const auto x = gguf.metadata().get_f64(fmt::format("{}.{}", h.arch, key));
  return x ? *x : std::nullopt;
}

std::optional<Json> config_value(std::string_view name, const ConfigFacts& facts) {
  const auto at = values().find(name);
  NIBBLE_ASSERT(at != values().end());
  return at->second(facts);
}

Json short_number(double x) { return std::stod(fmt::format("{}", static_cast<float>(x))); }

std::optional<RopeHparams> llama3_scaling(const RopeHparams& rope, int n_ctx_train,
                                          const std::vector<float>& divisors) {
  RopeHparams r = rope;
  r.scaling = RopeScaling::kLlama3;
  r.factor = *std::ranges::max_element(divisors);
  r.low_freq = 1, r.high_freq = 4;
  for (r.n_ctx_orig = 1; r.n_ctx_orig <= n_ctx_train && r.n_ctx_orig < 1 << 29; r.n_ctx_orig *= 2) {
    const auto made = llama3_factors(r);
    const auto near = [](double a, float b) { return std::abs(a - b) <= 1e-5 * a; };
    if (std::ranges::equal(made, divisors, near)) return r;
  }
  return std::nullopt;
}

}  // namespace nibble
