// See config_writer.h. A template is the text of a JSON object; of its members
//   "$include": "llama"     stands for the members that most families share (kShared)
//   "$if": {"gating": "sigmoid"} is what values must be for the template to be tried
//   "$has", "$lacks"        name a tensor that the model must have, or must not
//   "$names"                are HfConfig::names
//   "hidden_size": "$n_embd" takes the value of that name (config_values.cpp); "$drop": no member
#include "core/models/config_writer.h"

#include <algorithm>
#include <cmath>

#include "core/models/config_values.h"
#include "core/models/folder_config.h"
#include "core/models/rope_scaling.h"

namespace nibble {
namespace {

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

// Makes b equal to a where they differ by no more than a float's rounding.
template <class T>
void align(T a, T& b) {
  if (std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b))) b = a;
}

void align_rope(const RopeHparams& a, RopeHparams& b) {
  align(a.base, b.base);
  align(a.factor, b.factor);
  align(a.beta_fast, b.beta_fast);
  align(a.beta_slow, b.beta_slow);
  align(a.magnitude, b.magnitude);
  for (auto factors : {&RopeHparams::factors, &RopeHparams::long_factors})
    if ((a.*factors).size() == (b.*factors).size())
      for (size_t i = 0; i < (a.*factors).size(); ++i) align((a.*factors)[i], (b.*factors)[i]);
}

void align_all(const Hparams& a, Hparams& b) {
  for (auto member :
       {&Hparams::eps, &Hparams::attn_scale, &Hparams::attn_softcap, &Hparams::logit_softcap,
        &Hparams::logit_scale, &Hparams::embedding_scale, &Hparams::residual_scale,
        &Hparams::clamp_kqv, &Hparams::temperature_beta, &Hparams::temperature_floor})
    align(a.*member, b.*member);
  align(a.moe.scale, b.moe.scale);
  align_rope(a.rope, b.rope);
  align_rope(a.rope_swa, b.rope_swa);
}

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

Hparams normalized(Hparams h, const ConfigFacts& facts) {
  normalize_rope(h.rope, facts);
  normalize_rope(h.rope_swa, facts);
  h.tied = false;  // whether there is an output matrix tells
  if (h.attn_scale == 0) h.attn_scale = 1 / std::sqrt(static_cast<float>(h.d_k));
  const auto n = static_cast<size_t>(h.n_layer);
  if (h.window == 0) h.sliding.clear();
  h.sliding.resize(n);
  h.no_rope.resize(n);
  if (h.moe_layer.empty()) h.moe_layer.resize(n, h.moe.n_expert > 0);
  return h;
}

// Whether the family reads the configuration as these hyperparameters, in a model of these tensors.
bool says(const Json& config, const Architecture& family, const ConfigFacts& facts) {
  const auto parsed = parse_json(dump_json(config));  // numbers as a file gives them
  if (!parsed) return false;
  const auto found = read_folder_config(*parsed);
  if (!found || found->architecture != &family) return false;
  auto read = family.read_hparams({found->metadata, &facts.gguf});
  if (!read) return false;
  const Hparams wanted = normalized(facts.h, facts);
  Hparams got = normalized(std::move(*read), facts);
  align_all(wanted, got);
  return got == wanted;
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
