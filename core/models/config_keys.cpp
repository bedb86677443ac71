// See config_keys.h. Names and rules: the configuration classes and modeling_rope_utils of
// transformers.
#include "core/models/config_keys.h"

#include <algorithm>
#include <cmath>

#include "core/base/json.h"

namespace nibble {
namespace {

constexpr uint32_t kU32 = 4, kF32 = 6, kBool = 7, kString = 8;  // GGUF's value types

double yarn_magnitude(double factor, double mscale) {
  return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1;
}

}  // namespace

ConfigKeys::ConfigKeys(const Json& config, std::string_view arch, std::string_view defaults)
    : config_(config), arch_(arch) {
  if (auto parsed = parse_json(defaults))
    defaults_ = std::make_shared<const Json>(std::move(*parsed));
  metadata_.add({"general.architecture", arch, kString});
}

bool ConfigKeys::is_null(std::string_view name) const {
  const auto at = config_.find(name);
  return at != config_.end() && at->is_null();
}

const Json* ConfigKeys::find(Names names) const {
  bool null = false;
  for (const auto name : names) {
    const auto at = config_.find(name);
    if (at == config_.end()) continue;
    if (!at->is_null()) return &*at;
    null = true;
  }
  if (null) return nullptr;  // said to be absent: no default
  for (const auto name : names) {
    if (!defaults_) break;
    const auto at = defaults_->find(name);
    if (at != defaults_->end()) return &*at;
  }
  return nullptr;
}

void ConfigKeys::fault(Names names, std::string_view expected) {
  if (error_.empty())
    error_ = fmt::format("config.json: key '{}' is no {}", *names.begin(), expected);
}

double ConfigKeys::number(Names names, double otherwise) {
  const Json* value = find(names);
  if (!value) return otherwise;
  if (value->is_number()) return value->get<double>();
  fault(names, "number");
  return otherwise;
}

int64_t ConfigKeys::integer(Names names, int64_t otherwise) {
  const double x = number(names, static_cast<double>(otherwise));
  if (x == std::floor(x) && std::abs(x) < 1e15) return static_cast<int64_t>(x);
  fault(names, "whole number");
  return otherwise;
}

bool ConfigKeys::flag(Names names, bool otherwise) {
  const Json* value = find(names);
  if (!value) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  fault(names, "boolean");
  return otherwise;
}

std::string ConfigKeys::text(Names names, std::string_view otherwise) {
  const Json* value = find(names);
  if (!value) return std::string(otherwise);
  if (value->is_string()) return value->get<std::string>();
  fault(names, "string");
  return std::string(otherwise);
}

void ConfigKeys::add(std::string_view key, MetadataValue value, uint32_t gguf_type) {
  metadata_.add({arch_ + "." + std::string(key), std::move(value), gguf_type});
}
ConfigKeys& ConfigKeys::set_count(std::string_view key, int64_t value) {
  if (value < 0 && error_.empty())
    error_ = fmt::format("config.json: {} for '{}', expected no negative number", value, key);
  add(key, static_cast<uint64_t>(value < 0 ? 0 : value), kU32);
  return *this;
}
ConfigKeys& ConfigKeys::set_number(std::string_view key, double value) {
  add(key, value, kF32);
  return *this;
}
ConfigKeys& ConfigKeys::set_flag(std::string_view key, bool value) {
  add(key, value, kBool);
  return *this;
}
ConfigKeys& ConfigKeys::set_text(std::string_view key, std::string_view value) {
  add(key, value, kString);
  return *this;
}
ConfigKeys& ConfigKeys::set_flags(std::string_view key, std::vector<bool> values) {
  add(key, MetadataArray(std::move(values)), kBool);
  return *this;
}
ConfigKeys& ConfigKeys::set_numbers(std::string_view key, std::vector<double> values) {
  add(key, MetadataArray(std::move(values)), kF32);
  return *this;
}
ConfigKeys& ConfigKeys::count(std::string_view key, Names names) {
  if (find(names)) set_count(key, integer(names, 0));
  return *this;
}
ConfigKeys& ConfigKeys::number_key(std::string_view key, Names names) {
  if (find(names)) set_number(key, number(names, 0));
  return *this;
}
ConfigKeys& ConfigKeys::refuse(bool when, std::string_view what) {
  if (when && error_.empty()) error_ = fmt::format("config.json: {}", what);
  return *this;
}

ConfigKeys& ConfigKeys::sizes() {
  count("block_count", {"num_hidden_layers", "n_layer", "n_layers", "num_layers"});
  count("context_length", {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"});
  count("embedding_length", {"hidden_size", "n_embd", "dim"});
  count("feed_forward_length", {"intermediate_size", "n_inner", "ffn_hidden_size"});
  count("attention.head_count", {"num_attention_heads", "n_head", "num_heads", "n_heads"});
  count("attention.head_count_kv", {"num_key_value_heads", "n_kv_heads"});
  if (find({"head_dim"})) {
    count("attention.key_length", {"head_dim"});
    count("attention.value_length", {"head_dim"});
  }
  count("vocab_size", {"vocab_size"});
  number_key("attention.layer_norm_rms_epsilon", {"rms_norm_eps"});
  number_key("attention.layer_norm_epsilon",
             {"layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps"});
  set_flag("tie_word_embeddings", flag({"tie_word_embeddings"}, false));
  return *this;
}

std::vector<double> ConfigKeys::number_list(const Json& list, std::string_view name) {
  std::vector<double> out;
  for (const Json& x : list) {
    if (!x.is_number() || !list.is_array()) {
      if (error_.empty()) error_ = fmt::format("config.json: '{}' is no list of numbers", name);
      return {};
    }
    out.push_back(x.get<double>());
  }
  return out;
}

ConfigKeys& ConfigKeys::rope(std::string_view layer_type) {
  const Json* parameters = find({"rope_parameters", "rope_scaling"});
  if (parameters && !parameters->is_object()) {
    fault({"rope_scaling"}, "object");
    return *this;
  }
  if (parameters && parameters->contains(layer_type)) parameters = &(*parameters)[layer_type];
  double theta = number({"rope_theta", "rotary_emb_base", "global_rope_theta"}, 10000);
  double partial = number({"partial_rotary_factor", "rotary_pct"}, 1);
  if (parameters && parameters->is_object()) {
    const ConfigKeys inner(*parameters, arch_, "{}");
    if (const Json* t = inner.find({"rope_theta"}); t && t->is_number()) theta = t->get<double>();
    if (const Json* p = inner.find({"partial_rotary_factor"}); p && p->is_number())
      partial = p->get<double>();
  }
  set_number("rope.freq_base", theta);
  const int64_t n_head = integer({"num_attention_heads", "n_head", "num_heads"}, 1);
  const int64_t d_head =
      integer({"head_dim"}, integer({"hidden_size", "n_embd"}, 0) / std::max<int64_t>(1, n_head));
  if (partial != 1) {
    const double n_rot = partial * static_cast<double>(d_head);
    set_count("rope.dimension_count", static_cast<int64_t>(std::clamp(n_rot, -1.0, 1e9)));
  }
  if (parameters && parameters->is_object()) scaling(*parameters, theta);
  return *this;
}

void ConfigKeys::scaling(const Json& given, double) {
  ConfigKeys s(given, arch_, "{}");
  const std::string type = s.text({"rope_type", "type"}, "default");
  const int64_t n_ctx = integer({"max_position_embeddings"}, 0);
  int64_t orig = s.integer({"original_max_position_embeddings"},
                           integer({"original_max_position_embeddings"}, n_ctx));
  double factor = s.number({"factor"}, orig > 0 ? static_cast<double>(n_ctx) / orig : 1);
  if (type == "default" || type == "mrope" || type == "dynamic") return;
  if (type == "linear") {
    set_text("rope.scaling.type", "linear");
  } else if (type == "yarn") {
    set_text("rope.scaling.type", "yarn");
    set_number("rope.scaling.yarn_beta_fast", s.number({"beta_fast"}, 32));
    set_number("rope.scaling.yarn_beta_slow", s.number({"beta_slow"}, 1));
    if (!s.flag({"truncate"}, true)) set_flag("rope.scaling.truncate", false);
    const double mscale = s.number({"mscale"}, 0), all = s.number({"mscale_all_dim"}, 0);
    const double plain = yarn_magnitude(factor, 1);
    const double natural = mscale != 0 && all != 0
                               ? yarn_magnitude(factor, mscale) / yarn_magnitude(factor, all)
                               : plain;
    const double wanted = s.number({"attention_factor"}, natural);
    if (wanted != plain) set_number("rope.scaling.yarn_attn_factor", wanted / plain);
  } else if (type == "llama3") {
    set_text("rope.scaling.type", "llama3");
    set_number("rope.scaling.low_freq_factor", s.number({"low_freq_factor"}, 1));
    set_number("rope.scaling.high_freq_factor", s.number({"high_freq_factor"}, 4));
  } else if (type == "longrope" || type == "su") {
    set_text("rope.scaling.type", "longrope");
    if (const Json* f = s.find({"short_factor"}))
      set_numbers("rope.scaling.short_factor", number_list(*f, "short_factor"));
    if (const Json* f = s.find({"long_factor"}))
      set_numbers("rope.scaling.long_factor", number_list(*f, "long_factor"));
    if (config_.contains("original_max_position_embeddings"))
      factor = static_cast<double>(n_ctx) / static_cast<double>(std::max<int64_t>(1, orig));
    const double magnitude =
        factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(orig)));
    set_number("rope.scaling.attn_factor", s.number({"attention_factor"}, magnitude));
  } else {
    refuse(true, "rope scaling '" + type + "' is not one nibble knows");
  }
  set_number("rope.scaling.factor", factor);
  set_count("rope.scaling.original_context_length", orig);
  if (error_.empty()) error_ = s.error_;
}

ConfigKeys& ConfigKeys::activation(Names names) {
  const std::string name = text(names, "");
  if (name.empty()) return *this;
  if (name == "silu" || name == "swish" || name == "relu")
    return set_text("activation", name == "relu" ? "relu" : "silu");
  if (name == "gelu" || name == "gelu_python") return set_text("activation", "gelu");
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast")
    return set_text("activation", "gelu_tanh");
  return refuse(true, "activation '" + name + "' is not one nibble knows");
}

ConfigKeys& ConfigKeys::window() {
  const Json* size = find({"sliding_window"});
  if (!size) return *this;
  const int64_t n = integer({"sliding_window"}, 0);
  if (n <= 0) return *this;
  const Json* types = find({"layer_types"});
  set_count("attention.sliding_window", n);
  if (!types || !types->is_array()) return *this;
  std::vector<bool> sliding;
  for (const Json& type : *types)
    sliding.push_back(type.is_string() && type == "sliding_attention");
  set_flags("attention.sliding_window_pattern", std::move(sliding));
  return *this;
}

ConfigKeys& ConfigKeys::experts() {
  count("expert_count", {"num_local_experts", "num_experts", "n_routed_experts"});
  count("expert_used_count", {"num_experts_per_tok", "experts_per_token"});
  count("expert_feed_forward_length", {"moe_intermediate_size"});
  count("expert_shared_feed_forward_length", {"shared_expert_intermediate_size"});
  return *this;
}

Result<Metadata> ConfigKeys::take() {
  if (!error_.empty()) return unsupported("{}", error_);
  return std::move(metadata_);
}

}  // namespace nibble
