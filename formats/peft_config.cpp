// See peft_config.h.
#include "formats/peft_config.h"

#include <algorithm>
#include <cmath>

#include "core/base/json.h"
#include "core/base/printable.h"

namespace nibble {
namespace {

constexpr double kMaxRank = 1 << 16;

// Keys that must be absent, null, false, or empty, and what they would mean.
struct Refused {
  const char* key;
  const char* meaning;
};
constexpr Refused kRefused[] = {
    {"use_dora", "DoRA, which scales whole columns beside the pairs"},
    {"modules_to_save", "modules whose whole weights are replaced"},
    {"layer_replication", "layers that stand several times"},
    {"trainable_token_indices", "tokens whose embeddings are replaced"},
    {"target_parameters", "parameters instead of modules"},
    {"lora_bias", "biases of the pairs"},
    {"alora_invocation_tokens", "an adapter that some tokens switch on"},
    {"use_qalora", "QALoRA, which pools the input"},
    {"arrow_config", "a router over several adapters"},
};
// Ways to begin training that change the base as well.
constexpr std::string_view kChangesBase[] = {"pissa", "olora", "corda", "loftq"};

bool says_nothing(const Json& value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

Result<void> check_method(const Json& config) {
  const std::string method = dump_json(config.value("peft_type", Json("LORA")));
  if (method != "\"LORA\"")
    return unsupported("'peft_type' is {}, expected LORA", printable(method));
  for (const Refused& refused : kRefused)
    if (const auto at = config.find(refused.key); at != config.end() && !says_nothing(*at))
      return unsupported("'{}': {}, which is not built in", refused.key, refused.meaning);
  if (const auto bias = config.find("bias"); bias != config.end() && *bias != "none")
    return unsupported("'bias' is {}: trained biases are not built in",
                       printable(dump_json(*bias)));
  const auto init = config.find("init_lora_weights");
  if (init == config.end() || !init->is_string()) return {};
  for (const std::string_view name : kChangesBase)
    if (init->get_ref<const std::string&>().starts_with(name))
      return unsupported("'init_lora_weights' is {}: the adapter is for a base that was changed",
                         in_quotes(init->get_ref<const std::string&>()));
  return {};
}

// A name without the signs of a regular expression, but for the anchor in front.
bool is_plain(std::string_view name) {
  if (name.starts_with('^')) name.remove_prefix(1);
  return !name.empty() && name.find_first_of("\\^$*+?()[]{}|") == name.npos;
}

}  // namespace

double PeftConfig::Value::of(std::string_view module) const {
  for (const auto& [name, value] : by_name) {
    if (name.starts_with('^') ? module == std::string_view(name).substr(1) : module == name)
      return value;
    if (module.ends_with("." + name)) return value;
  }
  return common;
}

Result<PeftConfig::Value> PeftConfig::read_value(const Json& config, const char* key,
                                                 const char* pattern_key) {
  Value out;
  const auto common = config.find(key);
  if (common == config.end() || !common->is_number())
    return corrupt("'{}' is missing or no number", key);
  out.common = common->get<double>();
  const auto pattern = config.find(pattern_key);
  if (pattern == config.end() || pattern->is_null()) return out;
  if (!pattern->is_object()) return corrupt("'{}' is no object", pattern_key);
  for (const auto& [name, value] : pattern->items()) {
    if (!value.is_number()) return corrupt("'{}': {} is no number", pattern_key, in_quotes(name));
    if (!is_plain(name))
      return unsupported("'{}': {} is an expression; names of modules are read", pattern_key,
                         in_quotes(name));
    out.by_name.emplace(name, value.get<double>());
  }
  return out;
}

Result<PeftConfig> PeftConfig::read(const Json& config) {
  NIBBLE_CHECK(check_method(config));
  PeftConfig out;
  NIBBLE_TRY(out.r_, read_value(config, "r", "rank_pattern"));
  NIBBLE_TRY(out.alpha_, read_value(config, "lora_alpha", "alpha_pattern"));
  const auto in_range = [](double r) { return r >= 1 && r <= kMaxRank && r == std::floor(r); };
  for (const auto& [name, r] : out.r_.by_name)
    if (!in_range(r)) return corrupt("'rank_pattern': a rank of {}", r);
  if (!in_range(out.r_.common)) return corrupt("'r': a rank of {}", out.r_.common);
  const auto stabilized = config.find("use_rslora");
  out.rank_stabilized_ = stabilized != config.end() && *stabilized == true;
  return out;
}

float PeftConfig::scale(std::string_view module) const {
  const double r = r_.of(module);
  return static_cast<float>(alpha_.of(module) / (rank_stabilized_ ? std::sqrt(r) : r));
}

}  // namespace nibble
