// See config_keys.h. Names and rules: the configuration classes and modeling_rope_utils of
// transformers.
#include "core/models/config_keys.h"

#include <algorithm>
#include <cmath>

#include "core/base/json.h"
#include "core/models/hparams.h"

namespace nibble {
namespace {

constexpr uint32_t kU32 = 4, kF32 = 6, kBool = 7, kString = 8;  // GGUF's value types

}  // namespace

ConfigKeys::ConfigKeys(const Json& config, std::string_view arch, std::string_view defaults)
    : config_(config), arch_(arch) {
  if (auto parsed = parse_json(defaults))
    defaults_ = std::make_shared<const Json>(std::move(*parsed));
  metadata_.add({"general.architecture", arch, kString});
}

ConfigKeys ConfigKeys::part(const Json& object) const {
  ConfigKeys inner(object, arch_, "{}");
  inner.error_ = error_;
  return inner;
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
  if (error_->empty())
    *error_ = fmt::format("config.json: key '{}' is no {}", *names.begin(), expected);
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

std::vector<double> ConfigKeys::number_list(std::string_view name) {
  const Json* list = find({name});
  std::vector<double> out;
  if (list && !list->is_array()) fault({name}, "list of numbers");
  if (!list || !list->is_array()) return out;
  for (const Json& x : *list) {
    if (!x.is_number()) {
      fault({name}, "list of numbers");
      return {};
    }
    out.push_back(x.get<double>());
  }
  return out;
}

void ConfigKeys::add(std::string_view key, MetadataValue value, uint32_t gguf_type) {
  metadata_.add({arch_ + "." + std::string(key), std::move(value), gguf_type});
}
ConfigKeys& ConfigKeys::set_count(std::string_view key, int64_t value) {
  if (value < 0 && error_->empty())
    *error_ = fmt::format("config.json: {} for '{}', expected no negative number", value, key);
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
  if (when && error_->empty()) *error_ = fmt::format("config.json: {}", what);
  return *this;
}

ConfigKeys& ConfigKeys::sizes() {
  plain_sizes().count("attention.head_count_kv", {"num_key_value_heads", "n_kv_heads"});
  if (!find({"head_dim"})) return *this;
  return count("attention.key_length", {"head_dim"}).count("attention.value_length", {"head_dim"});
}

ConfigKeys& ConfigKeys::plain_sizes() {
  count("block_count", {"num_hidden_layers", "n_layer", "n_layers", "num_layers"});
  count("context_length", {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len",
                           "max_sequence_length", "seq_length"});
  count("embedding_length", {"hidden_size", "n_embd", "dim"});
  count("feed_forward_length", {"intermediate_size", "n_inner", "ffn_hidden_size"});
  count("attention.head_count", {"num_attention_heads", "n_head", "num_heads", "n_heads"});
  count("vocab_size", {"vocab_size"});
  if (defaults_ && defaults_->contains("rms_norm_eps"))
    number_key("attention.layer_norm_rms_epsilon", {"rms_norm_eps"});
  else
    number_key("attention.layer_norm_epsilon",
               {"layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps"});
  set_flag("tie_word_embeddings", flag({"tie_word_embeddings"}, false));
  refuse(!flag({"is_causal"}, true), "is_causal false (an embedding model) is not built in");
  const Json* layers = find({"per_layer_config"});
  return refuse(layers && !layers->empty(), "per_layer_config is not built in");
}

int ConfigKeys::n_layer() {
  const int64_t n = integer({"num_hidden_layers", "n_layer", "n_layers", "num_layers"}, 0);
  return static_cast<int>(std::clamp<int64_t>(n, 0, kMaxLayers));
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
  const int64_t n = integer({"sliding_window"}, 0);
  return n > 0 ? set_count("attention.sliding_window", n) : *this;
}

ConfigKeys& ConfigKeys::window_layers() {
  window();
  const Json* types = find({"layer_types"});
  if (integer({"sliding_window"}, 0) <= 0 || !types || !types->is_array()) return *this;
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
  if (!error_->empty()) return unsupported("{}", *error_);
  return std::move(metadata_);
}

}  // namespace nibble
