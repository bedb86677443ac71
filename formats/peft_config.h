// What adapter_config.json says of a PEFT adapter. Source: PEFT's LoraConfig.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json.h"

namespace nibble {

class PeftConfig {
 public:
  // Fails with kUnsupported, naming the key, on what changes more than W + scale * B A tells.
  static Result<PeftConfig> read(const Json& config);

  // Of a module, "model.layers.0.self_attn.q_proj": what r or rank_pattern, lora_alpha or
  // alpha_pattern say.
  int64_t rank(std::string_view module) const { return static_cast<int64_t>(r_.of(module)); }
  float scale(std::string_view module) const;

 private:
  // A number for all modules but those that a name stands for: the module's, or the end of it
  // behind a dot.
  struct Value {
    double common = 0;
    std::map<std::string, double, std::less<>> by_name;
    double of(std::string_view module) const;
  };
  static Result<Value> read_value(const Json& config, const char* key, const char* pattern_key);

  Value r_, alpha_;
  bool rank_stabilized_ = false;
};

}  // namespace nibble
