// The settings of a sampler, and the one table of what others have to know of each: options, a
// chat's /set, and the keys of model files. Names and defaults are llama.cpp's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/error.h"
#include "core/base/json_fwd.h"

namespace nibble {

class Metadata;

struct SamplerSettings {
  float temperature = 0.8f;     // <= 0: greedy
  int top_k = 40;               // <= 0: off
  float top_p = 0.95f;          // 1: off
  float min_p = 0.05f;          // 0: off
  float repeat_penalty = 1.0f;  // 1: off
  float presence_penalty = 0.0f;
  float frequency_penalty = 0.0f;
  int repeat_last_n = 64;  // tokens the penalties look back on; 0: none, -1: all
  uint64_t seed = 0;       // always the one used
};

struct SamplerSetting {
  std::string_view name;      // of the option and in /set
  std::string_view gguf_key;  // behind general.sampling.; empty: none
  std::string_view hf_key;    // in generation_config.json; empty: none
  std::variant<float SamplerSettings::*, int SamplerSettings::*> member;
  double least, most;
  std::string_view help;

  bool is_whole() const { return std::holds_alternative<int SamplerSettings::*>(member); }
  bool takes(double value) const;
  std::string expected() const;                             // "0 to 1": what it takes
  void set(SamplerSettings& settings, double value) const;  // one that it takes
  std::string text(const SamplerSettings& settings) const;  // the value, as short as it can be
};

inline constexpr SamplerSetting kSamplerSettings[] = {
    {"temp", "temp", "temperature", &SamplerSettings::temperature, -1, 1e6,
     "Temperature; 0: always the likeliest token"},
    {"top-k", "top_k", "top_k", &SamplerSettings::top_k, -1, 1e9,
     "Only the K likeliest tokens; 0 or -1: all"},
    {"top-p", "top_p", "top_p", &SamplerSettings::top_p, 0, 1,
     "Only the likeliest tokens that reach this probability together"},
    {"min-p", "min_p", "min_p", &SamplerSettings::min_p, 0, 1,
     "Only tokens with this share of the likeliest one's probability"},
    {"repeat-penalty", "penalty_repeat", "repetition_penalty", &SamplerSettings::repeat_penalty,
     1e-3, 1e3, "Penalty on tokens seen lately; 1: none"},
    {"presence-penalty", "", "", &SamplerSettings::presence_penalty, -1e3, 1e3,
     "Flat penalty on tokens seen lately"},
    {"frequency-penalty", "", "", &SamplerSettings::frequency_penalty, -1e3, 1e3,
     "Penalty for each time that one was seen"},
    {"repeat-last-n", "penalty_last_n", "", &SamplerSettings::repeat_last_n, -1, 1e9,
     "Tokens that the penalties look back on; -1: all"},
};

// What a model declares; nullopt: nothing. Fails with kUnsupported, naming the key, where the
// setting does not take the value.
Result<std::optional<double>> declared_setting(const SamplerSetting& setting,
                                               const Metadata& metadata);
Result<std::optional<double>> declared_setting(const SamplerSetting& setting,
                                               const Json& generation_config);

}  // namespace nibble
