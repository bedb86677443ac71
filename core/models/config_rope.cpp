// The rotation in config.json: rope_theta, partial_rotary_factor, rope_scaling, rope_parameters.
// Names and rules: modeling_rope_utils of transformers.
#include <algorithm>
#include <cmath>

#include "core/base/json.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

const Json kNone = Json::object();

// "mrope" is the plain rotation over text.
bool is_scaled(std::string_view type) { return type != "default" && type != "mrope"; }

double yarn_magnitude(double factor, double mscale) {
  return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1;
}

void add_yarn(ConfigKeys& out, ConfigKeys& given, double factor) {
  out.set_text("rope.scaling.type", "yarn");
  out.set_number("rope.scaling.yarn_beta_fast", given.number({"beta_fast"}, 32));
  out.set_number("rope.scaling.yarn_beta_slow", given.number({"beta_slow"}, 1));
  out.set_flag("rope.scaling.truncate", given.flag({"truncate"}, true));
  const double mscale = given.number({"mscale"}, 0), all = given.number({"mscale_all_dim"}, 0);
  const double plain = yarn_magnitude(factor, 1);
  const double natural = mscale != 0 && all != 0
                             ? yarn_magnitude(factor, mscale) / yarn_magnitude(factor, all)
                             : plain;
  const double wanted = given.number({"attention_factor"}, natural);
  out.set_number("rope.scaling.yarn_attn_factor", wanted / plain);
}

void add_longrope(ConfigKeys& out, ConfigKeys& given, double factor, int64_t n_ctx_orig) {
  out.set_text("rope.scaling.type", "longrope");
  for (const std::string name : {"short_factor", "long_factor"})
    if (given.find({name})) out.set_numbers("rope.scaling." + name, given.number_list(name));
  const double log_orig = std::log(static_cast<double>(n_ctx_orig));
  const double magnitude = factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / log_orig);
  out.set_number("rope.scaling.attn_factor", given.number({"attention_factor"}, magnitude));
}

}  // namespace

ConfigKeys& ConfigKeys::rope() {
  return rotation(false, {"rope_theta", "global_rope_theta"}, {"partial_rotary_factor"});
}
ConfigKeys& ConfigKeys::partial_rope(Names theta, Names share) {
  return rotation(true, theta, share);
}

const Json& ConfigKeys::rope_given() {
  for (const char* name : {"rope_scaling", "rope_parameters"}) {
    const auto at = config_.find(name);
    if (at == config_.end() || at->is_null()) continue;
    if (!at->is_object()) {
      fault({name}, "object");
    } else if (!at->empty() || name == std::string_view("rope_parameters")) {
      return *at;
    }
  }
  if (!defaults_ || !defaults_->contains("rope_parameters")) return kNone;
  return (*defaults_)["rope_parameters"];
}

ConfigKeys& ConfigKeys::rotation(bool reads_share, Names theta_names, Names share_names) {
  const Json& given = rope_given();
  refuse(given.contains("full_attention") || given.contains("sliding_attention"),
         fmt::format("rope_parameters of kinds of layers are not built in for '{}'", arch_));
  ConfigKeys inner = part(given);
  set_number("rope.freq_base", inner.number({"rope_theta"}, number(theta_names, 10000)));
  const double share = inner.number({"partial_rotary_factor"}, number(share_names, 1));
  if (share != 1 && reads_share) {
    const int64_t n_head = integer({"num_attention_heads", "n_head", "num_heads"}, 1);
    const int64_t d_head =
        integer({"head_dim"}, integer({"hidden_size", "n_embd"}, 0) / std::max<int64_t>(1, n_head));
    const double n_rot = share * static_cast<double>(d_head);
    set_count("rope.dimension_count", static_cast<int64_t>(std::clamp(n_rot, -1.0, 1e9)));
  }
  const std::string type = inner.text({"rope_type", "type"}, "default");
  refuse(share != 1 && !reads_share && is_scaled(type),
         fmt::format("rope scaling '{}' of a part of each head is not built in for '{}'", type,
                     arch_));
  return scaling(std::move(inner), integer({"original_max_position_embeddings"}, 0));
}

const Json& ConfigKeys::rope_kind(std::string_view name) const {
  const Json* given = find({"rope_parameters"});
  if (!given || !given->is_object()) return kNone;
  const auto at = given->find(name);
  return at != given->end() && at->is_object() ? *at : kNone;
}

ConfigKeys& ConfigKeys::rope_of_kinds() {
  Json full = rope_kind("full_attention");
  if (const Json* more = find({"rope_scaling"})) {
    if (more->is_object())
      full.update(*more);
    else
      fault({"rope_scaling"}, "object");
  }
  ConfigKeys inner = part(full);
  set_number("rope.freq_base", inner.number({"rope_theta"}, number({"rope_theta"}, 10000)));
  return scaling(std::move(inner), 0);
}

double ConfigKeys::window_theta(double otherwise) {
  ConfigKeys inner = part(rope_kind("sliding_attention"));
  const std::string type = inner.text({"rope_type", "type"}, "default");
  refuse(is_scaled(type),
         fmt::format("rope scaling '{}' of 'sliding_attention' is not built in", type));
  return inner.number({"rope_theta"}, otherwise);
}

ConfigKeys& ConfigKeys::scaling(ConfigKeys s, int64_t n_ctx_orig) {
  const std::string type = s.text({"rope_type", "type"}, "default");
  if (!is_scaled(type)) return *this;
  const int64_t n_ctx = integer({"max_position_embeddings"}, 0);
  const int64_t orig =
      n_ctx_orig > 0 ? n_ctx_orig : s.integer({"original_max_position_embeddings"}, n_ctx);
  const double factor =
      s.number({"factor"}, orig > 0 ? static_cast<double>(n_ctx) / static_cast<double>(orig) : 1);
  if (type == "dynamic") {
    refuse(s.find({"alpha"}) != nullptr, "dynamic rope scaling by 'alpha' is not built in");
    return set_number("rope.scaling.dynamic_factor", factor);
  }
  if (type == "linear") {
    set_text("rope.scaling.type", "linear");
  } else if (type == "yarn") {
    add_yarn(*this, s, factor);
  } else if (type == "llama3") {
    set_text("rope.scaling.type", "llama3");
    set_number("rope.scaling.low_freq_factor", s.number({"low_freq_factor"}, 1));
    set_number("rope.scaling.high_freq_factor", s.number({"high_freq_factor"}, 4));
  } else if (type == "longrope" || type == "su") {
    add_longrope(*this, s, factor, orig);
  } else {
    refuse(true, "rope scaling '" + type + "' is not one nibble knows");
  }
  set_number("rope.scaling.factor", factor);
  return set_count("rope.scaling.original_context_length", orig);
}

}  // namespace nibble
