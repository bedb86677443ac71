// See config_writer.h. A template is the text of a JSON object; of its members
//   "$include": "llama"     stands for the members that most families share (kShared)
//   "$if": {"gating": "sigmoid"} is what values must be for the template to be tried
//   "$has", "$lacks"        name a tensor that the model must have, or must not
//   "$names"                are HfConfig::names
//   "hidden_size": "$n_embd" takes the value of that name (config_values.cpp); "$drop": no member
#include "core/models/config_writer.h"

#include "core/models/config_values.h"
#include "core/models/folder_config.h"
#include "core/models/hparams_diff.h"

namespace nibble {
namespace {

constexpr double kTolerance = 1e-5;  // of numbers that a config has in another form
constexpr std::string_view kShared =
    R"({"hidden_size": "$n_embd", "intermediate_size": "$n_ff", "num_hidden_layers": "$n_layer",
        "num_attention_heads": "$n_head", "num_key_value_heads": "$n_head_kv",
        "head_dim": "$d_head", "vocab_size": "$n_vocab", "max_position_embeddings": "$n_ctx",
        "rms_norm_eps": "$eps", "rope_theta": "$rope_theta", "rope_scaling": "$rope_scaling",
        "hidden_act": "$activation", "tie_word_embeddings": "$tied"})";

Result<Json> with_includes(std::string_view text) {
  NIBBLE_TRY(const Json given, parse_json(text));
  Json out = Json::object();
  if (given.contains("$include")) {
    NIBBLE_TRY(out, parse_json(kShared));
  }
  for (const auto& [key, value] : given.items()) out[key] = value;
  return out;
}

bool applies(const Json& pattern, const ConfigFacts& facts) {
  const auto has = [&](const char* key) { return facts.has(pattern[key].get<std::string>()); };
  if (pattern.contains("$if"))
    for (const auto& [name, value] : pattern["$if"].items())
      if (const auto got = config_value(name, facts); !got || *got != value) return false;
  if (pattern.contains("$has") && !has("$has")) return false;
  return !pattern.contains("$lacks") || !has("$lacks");
}

HfConfig fill(const Json& pattern, const ConfigFacts& facts) {
  HfConfig out{{{"architectures", pattern["architectures"]}, {"model_type", ""}}, {}};
  for (const auto& [key, value] : pattern.items()) {
    if (key == "$names") out.names = value.get<std::vector<std::string>>();
    if (key.starts_with('$')) continue;
    const auto* text = value.get_ptr<const std::string*>();
    if (!text || !text->starts_with('$')) {
      out.config[key] = value;
    } else if (*text != "$drop") {
      if (const auto made = config_value(std::string_view(*text).substr(1), facts))
        out.config[key] = *made;
    }
  }
  return out;
}

// Whether the family reads the configuration as these hyperparameters, in a model of these tensors.
bool says(const Json& config, const Architecture& family, const ConfigFacts& facts) {
  const auto parsed = parse_json(dump_json(config));  // numbers as a file gives them
  if (!parsed) return false;
  const auto found = read_folder_config(*parsed);
  if (!found || found->architecture != &family) return false;
  const auto read = family.read_hparams({found->metadata, &facts.gguf});
  return read && differences(facts.h, *read, facts.gguf, kTolerance).empty();
}

}  // namespace

Result<HfConfig> write_config(const Architecture& family, const Hparams& hparams,
                              const WeightFile& gguf) {
  const ConfigFacts facts{hparams, gguf};
  for (const std::string_view text : family.hf_configs) {
    NIBBLE_TRY(const Json pattern, with_includes(text));
    if (!applies(pattern, facts)) continue;
    HfConfig out = fill(pattern, facts);
    if (says(out.config, family, facts)) return out;
  }
  return unsupported("no config.json of '{}' says what this model's hyperparameters do",
                     family.gguf_name);
}

}  // namespace nibble
