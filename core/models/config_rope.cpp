// The rotation in config.json: rope_theta, partial_rotary_factor, rope_scaling, rope_parameters.
// Names and rules: modeling_rope_utils of transformers.
#include <algorithm>
#include <cmath>

#include "core/base/json.h"
#include "core/models/config_keys.h"

namespace nibble {
namespace {

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

ConfigKeys& ConfigKeys::rope() { return rotation(false); }
ConfigKeys& ConfigKeys::partial_rope() { return rotation(true); }

const Json* ConfigKeys::rope_given() {
  const Json* given = find({"rope_scaling", "rope_parameters"});
  if (given && given->empty()) given = find({"rope_parameters"});
  if (!given || given->is_object()) return given;
  fault({"rope_scaling"}, "object");
  return nullptr;
}

ConfigKeys& ConfigKeys::rotation(bool reads_part) {
  const Json* parameters = rope_given();
  if (const Json* nested = find({"rope_parameters"});
      nested && nested->is_object() && nested->contains("full_attention")) {
    refuse(parameters != nested,
           "rope_scaling beside rope_parameters of 'full_attention' is not built in");
    parameters = &(*nested)["full_attention"];
  }
  double theta = number({"rope_theta", "rotary_emb_base", "global_rope_theta"}, 10000);
  double partial = number({"partial_rotary_factor", "rotary_pct", "rope_pct"}, 1);
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
  if (partial != 1 && reads_part) {
    const double n_rot = partial * static_cast<double>(d_head);
    set_count("rope.dimension_count", static_cast<int64_t>(std::clamp(n_rot, -1.0, 1e9)));
  }
  return parameters && parameters->is_object() ? scaling(*parameters, partial != 1 && !reads_part)
                                               : *this;
}

double ConfigKeys::window_theta(double otherwise) {
  const Json* given = find({"rope_parameters"});
  if (!given || !given->is_object()) return otherwise;
  const auto at = given->find("sliding_attention");
  if (at == given->end() || !at->is_object()) return otherwise;
  ConfigKeys part(*at, arch_, "{}");
  const std::string type = part.text({"rope_type", "type"}, "default");
  refuse(type != "default",
         fmt::format("rope scaling '{}' of 'sliding_attention' is not built in", type));
  return part.number({"rope_theta"}, otherwise);
}

ConfigKeys& ConfigKeys::scaling(const Json& given, bool part) {
  ConfigKeys s(given, arch_, "{}");
  const std::string type = s.text({"rope_type", "type"}, "default");
  const int64_t n_ctx = integer({"max_position_embeddings"}, 0);
  const int64_t orig = s.integer({"original_max_position_embeddings"},
                                 integer({"original_max_position_embeddings"}, n_ctx));
  const double stretch =
      static_cast<double>(n_ctx) / static_cast<double>(std::max<int64_t>(1, orig));
  double factor = s.number({"factor"}, orig > 0 ? stretch : 1);
  if (type == "default" || type == "mrope") return *this;
  refuse(part, fmt::format("rope scaling '{}' of a part of each head is not built in for '{}'",
                           type, arch_));
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
    if (config_.contains("original_max_position_embeddings")) factor = stretch;
    add_longrope(*this, s, factor, orig);
  } else {
    refuse(true, "rope scaling '" + type + "' is not one nibble knows");
  }
  set_number("rope.scaling.factor", factor);
  set_count("rope.scaling.original_context_length", orig);
  if (error_.empty()) error_ = s.error_;
  return *this;
}

}  // namespace nibble
