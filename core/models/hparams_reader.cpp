// Keys and defaults as llama.cpp writes and reads them (gguf-py constants), and a few of nibble's
// own for what those lack: rope.scaling.{low,high}_freq_factor, .short_factor, .long_factor,
// .dynamic_factor, .truncate and tie_word_embeddings.
#include "core/models/hparams_reader.h"

#include <algorithm>
#include <cmath>

namespace nibble {
namespace {

constexpr int kMaxWidth = 1 << 22;
constexpr int kMaxHeads = 1 << 14;
constexpr int64_t kMaxRow = 1 << 26;  // values of all heads or experts of one token
constexpr int kMaxVocab = 1 << 26;
constexpr int kMaxContext = 1 << 30;
constexpr int kMaxExperts = 1 << 14;

// The value as an integer, or the one integer that all elements of an array are.
std::optional<int64_t> one_integer(const MetadataValue& value) {
  if (const auto* i = std::get_if<int64_t>(&value)) return *i;
  if (const auto* u = std::get_if<uint64_t>(&value)) return static_cast<int64_t>(*u);
  const auto* array = std::get_if<MetadataArray>(&value);
  if (!array) return std::nullopt;
  return std::visit(
      [](const auto& v) -> std::optional<int64_t> {
        using T = typename std::decay_t<decltype(v)>::value_type;
        if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, uint64_t>) {
          if (v.empty() || std::ranges::adjacent_find(v, std::not_equal_to<>{}) != v.end())
            return std::nullopt;
          return static_cast<int64_t>(v.front());
        } else {
          return std::nullopt;
        }
      },
      *array);
}

}  // namespace

std::vector<bool> all_but_each(int n_layer, int64_t p) {
  std::vector<bool> flags(n_layer);
  for (int i = 0; i < n_layer; ++i) flags[i] = p == 0 || (i + 1) % p != 0;
  return flags;
}

Result<std::optional<int>> HparamsReader::count(std::string_view name, int low, int high) const {
  const MetadataValue* value = source_.metadata.find(key(name));
  if (!value) return std::optional<int>();
  const auto n = one_integer(*value);
  if (!n) return unsupported("key '{}': not one integer for all layers", key(name));
  if (*n < low || *n > high)
    return corrupt("key '{}': {}, expected {} to {}", key(name), *n, low, high);
  return std::optional<int>(static_cast<int>(*n));
}

Result<int> HparamsReader::count_or(std::string_view name, int otherwise, int low, int high) const {
  NIBBLE_TRY(const auto n, count(name, low, high));
  return n.value_or(otherwise);
}

Result<int> HparamsReader::need_count(std::string_view name, int low, int high) const {
  NIBBLE_TRY(const auto n, count(name, low, high));
  if (!n) return corrupt("key '{}' is missing", key(name));
  return *n;
}

Result<double> HparamsReader::number_or(std::string_view name, double otherwise) const {
  const std::string full = key(name);
  NIBBLE_TRY(const auto x, source_.metadata.get_f64(full));
  if (!x) return otherwise;
  if (!std::isfinite(*x)) return corrupt("key '{}' is not a finite number", full);
  return *x;
}

Result<bool> HparamsReader::flag_or(std::string_view name, bool otherwise) const {
  NIBBLE_TRY(const auto b, source_.metadata.get_bool(key(name)));
  return b.value_or(otherwise);
}

Result<std::string_view> HparamsReader::text_or(std::string_view name,
                                                std::string_view otherwise) const {
  NIBBLE_TRY(const auto s, source_.metadata.get_string(key(name)));
  return s.value_or(otherwise);
}

Result<Activation> HparamsReader::activation_or(Activation otherwise) const {
  NIBBLE_TRY(const auto name, text_or("activation", ""));
  if (name.empty()) return otherwise;
  if (name == "silu") return Activation::kSilu;
  if (name == "gelu") return Activation::kGeluErf;
  if (name == "gelu_tanh") return Activation::kGeluTanh;
  if (name == "relu") return Activation::kRelu;
  return unsupported("key '{}': '{}' is not an activation nibble knows", key("activation"), name);
}

Result<std::vector<bool>> HparamsReader::layer_flags(std::string_view name, int n_layer) const {
  const MetadataValue* value = source_.metadata.find(key(name));
  if (!value) return std::vector<bool>();
  if (const auto* array = std::get_if<MetadataArray>(value)) {
    std::vector<bool> flags;
    std::visit(
        [&](const auto& v) {
          using T = typename std::decay_t<decltype(v)>::value_type;
          if constexpr (!std::is_same_v<T, std::string_view>)
            for (const auto& x : v) flags.push_back(x != T{});
        },
        *array);
    if (flags.size() < static_cast<size_t>(n_layer))
      return corrupt("key '{}': {} layers, expected {}", key(name), flags.size(), n_layer);
    flags.resize(n_layer);
    return flags;
  }
  NIBBLE_TRY(const int period, need_count(name, 0, kMaxLayers));
  return all_but_each(n_layer, period);
}

Result<std::vector<bool>> HparamsReader::windows(int n_layer, int otherwise) const {
  NIBBLE_TRY(auto flags, layer_flags("attention.sliding_window_pattern", n_layer));
  return flags.empty() ? all_but_each(n_layer, otherwise) : flags;
}

Result<void> HparamsReader::sizes(Hparams& h) const {
  NIBBLE_TRY(h.n_layer, need_count("block_count", 1, kMaxLayers));
  NIBBLE_TRY(h.n_embd, need_count("embedding_length", 1, kMaxWidth));
  NIBBLE_TRY(h.n_ctx_train, need_count("context_length", 1, kMaxContext));
  NIBBLE_TRY(h.n_head, need_count("attention.head_count", 1, kMaxHeads));
  NIBBLE_TRY(h.n_head_kv, count_or("attention.head_count_kv", h.n_head, 1, kMaxHeads));
  if (h.n_head % h.n_head_kv != 0)
    return corrupt("key '{}': {} heads cannot share {}", key("attention.head_count_kv"), h.n_head,
                   h.n_head_kv);
  const int per_head = std::max(1, h.n_embd / h.n_head);
  NIBBLE_TRY(h.d_k, count_or("attention.key_length", per_head, 1, kMaxWidth));
  NIBBLE_TRY(h.d_v, count_or("attention.value_length", per_head, 1, kMaxWidth));
  if (int64_t{h.n_head} * std::max(h.d_k, h.d_v) > kMaxRow)
    return corrupt("key '{}': {} heads of {} values", key("attention.head_count"), h.n_head,
                   std::max(h.d_k, h.d_v));
  NIBBLE_TRY(h.n_ff, count_or("feed_forward_length", 0, 0, kMaxWidth));
  NIBBLE_TRY(h.n_vocab, count_or("vocab_size", 0, 0, kMaxVocab));
  if (source_.gguf) {
    const TensorView* embd = source_.gguf->find("token_embd.weight");
    if (!embd) return corrupt("tensor 'token_embd.weight' is missing");
    if (embd->shape.n_rows() > kMaxVocab)
      return unsupported("tensor 'token_embd.weight': {} rows", embd->shape.n_rows());
    h.n_vocab = static_cast<int>(embd->shape.n_rows());
  }
  if (h.n_vocab < 1) return corrupt("key '{}' is missing", key("vocab_size"));
  return {};
}

Result<void> HparamsReader::scales(Hparams& h) const {
  NIBBLE_TRY(const double ln_eps, number_or("attention.layer_norm_epsilon", 1e-5));
  NIBBLE_TRY(h.eps, number_or("attention.layer_norm_rms_epsilon", ln_eps));
  NIBBLE_TRY(h.attn_scale, number_or("attention.scale", 0));
  NIBBLE_TRY(h.embedding_scale, number_or("embedding_scale", 1));
  NIBBLE_TRY(h.residual_scale, number_or("residual_scale", 1));
  NIBBLE_TRY(h.logit_scale, number_or("logit_scale", 1));
  NIBBLE_TRY(h.attn_softcap, number_or("attn_logit_softcapping", 0));
  NIBBLE_TRY(h.logit_softcap, number_or("final_logit_softcapping", 0));
  NIBBLE_TRY(h.clamp_kqv, number_or("attention.clamp_kqv", 0));
  NIBBLE_TRY(h.window, count_or("attention.sliding_window", 0, 0, kMaxContext));
  NIBBLE_TRY(h.tied, flag_or("tie_word_embeddings", false));
  return {};
}

Result<void> HparamsReader::experts(Hparams& h) const {
  MoeHparams& m = h.moe;
  NIBBLE_TRY(m.n_expert, count_or("expert_count", 0, 0, kMaxExperts));
  if (m.n_expert == 0) return {};
  NIBBLE_TRY(m.n_expert_used, need_count("expert_used_count", 1, m.n_expert));
  NIBBLE_TRY(m.n_ff, count_or("expert_feed_forward_length", h.n_ff, 1, kMaxWidth));
  NIBBLE_TRY(m.n_ff_shared, count_or("expert_shared_feed_forward_length", 0, 0, kMaxWidth));
  NIBBLE_TRY(const double scale, number_or("expert_weights_scale", 1));
  m.scale = scale == 0 ? 1.0f : static_cast<float>(scale);
  NIBBLE_TRY(m.n_group, count_or("expert_group_count", 1, 0, m.n_expert));
  NIBBLE_TRY(m.n_group_used, count_or("expert_group_used_count", 1, 0, m.n_expert));
  m.n_group = std::max(1, m.n_group);
  m.n_group_used = std::clamp(m.n_group_used, 1, m.n_group);
  if (m.n_expert % m.n_group != 0 || m.n_expert_used > m.n_expert / m.n_group * m.n_group_used)
    return corrupt("key '{}': {} of {} experts cannot come from {} of {} groups",
                   key("expert_group_count"), m.n_expert_used, m.n_expert, m.n_group_used,
                   m.n_group);
  return {};
}

Result<void> HparamsReader::rope_scaling(RopeHparams& r) const {
  NIBBLE_TRY(const auto type, text_or("rope.scaling.type", "linear"));
  NIBBLE_TRY(const double old_factor, number_or("rope.scale_linear", 0));
  NIBBLE_TRY(r.factor, number_or("rope.scaling.factor", old_factor));
  if (r.factor <= 0) r.factor = 1;
  NIBBLE_TRY(const double attn_factor, number_or("rope.scaling.attn_factor", 1));
  r.magnitude = attn_factor;
  if (type == "linear") {
    r.scaling = r.factor == 1 ? RopeScaling::kNone : RopeScaling::kLinear;
  } else if (type == "yarn") {
    r.scaling = RopeScaling::kYarn;
    NIBBLE_TRY(r.beta_fast, number_or("rope.scaling.yarn_beta_fast", 32));
    NIBBLE_TRY(r.beta_slow, number_or("rope.scaling.yarn_beta_slow", 1));
    NIBBLE_TRY(r.ext_factor, number_or("rope.scaling.yarn_ext_factor", 1));
    NIBBLE_TRY(r.truncate, flag_or("rope.scaling.truncate", true));
    NIBBLE_TRY(const double log_multiplier, number_or("rope.scaling.yarn_log_multiplier", 0));
    NIBBLE_TRY(const double yarn_attn, number_or("rope.scaling.yarn_attn_factor", 1));
    const double log_factor = 0.1 * std::log(r.factor);
    r.magnitude *= yarn_attn * (1 + log_factor) / (1 + log_multiplier * log_factor);
  } else if (type == "llama3") {
    r.scaling = RopeScaling::kLlama3;
    NIBBLE_TRY(r.low_freq, number_or("rope.scaling.low_freq_factor", 1));
    NIBBLE_TRY(r.high_freq, number_or("rope.scaling.high_freq_factor", 4));
  } else if (type == "longrope") {
    r.scaling = RopeScaling::kLongrope;
    NIBBLE_TRY(auto short_factors, source_.metadata.get_floats(key("rope.scaling.short_factor")));
    NIBBLE_TRY(auto long_factors, source_.metadata.get_floats(key("rope.scaling.long_factor")));
    r.factors = short_factors.value_or(std::vector<double>());
    r.long_factors = long_factors.value_or(std::vector<double>());
  } else if (type != "none") {
    return unsupported("key '{}': '{}' is not a scaling nibble knows", key("rope.scaling.type"),
                       type);
  }
  NIBBLE_TRY(const double dynamic, number_or("rope.scaling.dynamic_factor", 1));
  if (dynamic > 1) r.scaling = RopeScaling::kDynamic, r.factor = dynamic;
  return {};
}

Result<int> HparamsReader::shared_width(int n_ff) const {
  NIBBLE_TRY(const int n_shared, count_or("expert_shared_count", 0, 0, kMaxExperts));
  const int64_t width = int64_t{n_shared} * n_ff;
  if (width > kMaxWidth)
    return corrupt("key '{}': {} shared experts of {} values, expected {} at most",
                   key("expert_shared_count"), n_shared, n_ff, kMaxWidth);
  return static_cast<int>(width);
}

Result<double> HparamsReader::rope_base(std::string_view name, double otherwise) const {
  NIBBLE_TRY(const double base, number_or(name, otherwise));
  if (base < 1) return corrupt("key '{}': {}, expected 1 or more", key(name), base);
  return base;
}

Result<RopeHparams> HparamsReader::rope(int d_head, int n_ctx_train) const {
  RopeHparams r;
  NIBBLE_TRY(r.base, rope_base("rope.freq_base", 10000));
  NIBBLE_TRY(r.n_rot, count_or("rope.dimension_count", d_head, 0, d_head));
  if (r.n_rot % 2 != 0)
    return unsupported("key '{}': {} rotated values of a head, expected an even number",
                       key("rope.dimension_count"), r.n_rot);
  NIBBLE_TRY(r.n_ctx_orig,
             count_or("rope.scaling.original_context_length", n_ctx_train, 1, kMaxContext));
  NIBBLE_CHECK(rope_scaling(r));
  // Older files have longrope's tensors and no type.
  if (r.scaling == RopeScaling::kNone && source_.has("rope_factors_long.weight", false))
    r.scaling = RopeScaling::kLongrope;
  for (const auto& factors : {r.factors, r.long_factors})
    if (!factors.empty() && factors.size() != static_cast<size_t>(r.n_rot / 2))
      return corrupt("key '{}': {} factors, expected {}", key("rope.scaling.long_factor"),
                     factors.size(), r.n_rot / 2);
  return r;
}

Result<Hparams> HparamsReader::common(Rotation rotation, Activation activation) const {
  Hparams h;
  h.arch = arch_;
  h.hf_rows = source_.gguf == nullptr;
  NIBBLE_CHECK(sizes(h));
  NIBBLE_CHECK(scales(h));
  NIBBLE_CHECK(experts(h));
  NIBBLE_TRY(h.activation, activation_or(activation));
  if (rotation == Rotation::kNone) return h;
  NIBBLE_TRY(h.rope, rope(h.d_k, h.n_ctx_train));
  const bool halves =
      rotation == Rotation::kHalves || (rotation == Rotation::kPermuted && h.hf_rows);
  h.rope.pairs = halves ? RopePairs::kHalves : RopePairs::kAdjacent;
  h.rope_swa = h.rope;
  return h;
}

}  // namespace nibble
