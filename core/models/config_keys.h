// Turns a Hugging Face config.json into GGUF's keys, so that a family reads its hyperparameters in
// one way, whatever they came from, and convert has them to write.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json_fwd.h"
#include "formats/metadata.h"

namespace nibble {

class ConfigKeys {
 public:
  using Names = std::initializer_list<std::string_view>;

  // config: the text model's part. defaults: JSON text of what the original configuration class
  // fills in where a key is absent. arch: GGUF's name; string values must outlive the result.
  ConfigKeys(const Json& config, std::string_view arch, std::string_view defaults);

  // The value under the first of the names that is there and not null; nullptr: none.
  const Json* find(Names names) const;
  // The same as a number, a flag, a text; a value of another kind is remembered as the error of
  // take().
  double number(Names names, double otherwise);
  int64_t integer(Names names, int64_t otherwise);
  bool flag(Names names, bool otherwise);
  std::string text(Names names, std::string_view otherwise);
  std::vector<double> number_list(std::string_view name);  // empty: none

  // Adds ARCH.key.
  ConfigKeys& set_count(std::string_view key, int64_t value);
  ConfigKeys& set_number(std::string_view key, double value);
  ConfigKeys& set_flag(std::string_view key, bool value);
  ConfigKeys& set_text(std::string_view key, std::string_view value);  // value: a literal
  ConfigKeys& set_flags(std::string_view key, std::vector<bool> values);
  ConfigKeys& set_numbers(std::string_view key, std::vector<double> values);
  // Adds ARCH.key from the first of the names that is there; nothing where none is.
  ConfigKeys& count(std::string_view key, Names names);
  ConfigKeys& number_key(std::string_view key, Names names);

  // The keys of an object inside the configuration, without defaults. What is wrong with them is
  // wrong with this.
  ConfigKeys part(const Json& object) const;

  // Sizes, epsilon (of RMS norms where the defaults have one) and tying, from the names that all
  // original configurations use.
  ConfigKeys& sizes();
  // The same for classes that read neither num_key_value_heads nor head_dim.
  ConfigKeys& plain_sizes();
  // rope_scaling, or rope_parameters where that is absent or empty, or the class's own where both
  // are absent; empty: none.
  const Json& rope_given();
  // rope_theta, and what rope_given() says. The whole head is rotated, as most classes do, whatever
  // partial_rotary_factor says; with it, their scalings fail, and so does this.
  ConfigKeys& rope();
  // The same for classes that rotate partial_rotary_factor of a head, under these names.
  ConfigKeys& partial_rope(Names theta = {"rope_theta"},
                           Names share = {"partial_rotary_factor", "rope_pct"});
  // The same for classes that rotate each kind of layer in its own way: what rope_parameters' part
  // 'full_attention' says, and rope_scaling on top.
  ConfigKeys& rope_of_kinds();
  // The theta of their part 'sliding_attention'; a scaling there is refused.
  double window_theta(double otherwise);
  // The activation, under nibble's own key.
  ConfigKeys& activation(Names names);
  // attention.sliding_window.
  ConfigKeys& window();
  // The same, and the layers it holds for, from layer_types where that is there.
  ConfigKeys& window_layers();
  // expert_count and what goes with it.
  ConfigKeys& experts();

  // At most as many as a model may have.
  int n_layer();
  // Refuses a value of the config that the family does not run.
  ConfigKeys& refuse(bool when, std::string_view what);
  Result<Metadata> take();

 private:
  void add(std::string_view key, MetadataValue value, uint32_t gguf_type);
  void fault(Names names, std::string_view expected);
  ConfigKeys& rotation(bool reads_share, Names theta, Names share);
  // The object under a key of rope_parameters; empty: none.
  const Json& rope_kind(std::string_view name) const;
  // The keys of a scaling, whose trained length is n_ctx_orig where that is not 0.
  ConfigKeys& scaling(ConfigKeys given, int64_t n_ctx_orig);

  const Json& config_;
  std::shared_ptr<const Json> defaults_;  // null: none
  std::string arch_;
  Metadata metadata_;
  std::shared_ptr<std::string> error_ = std::make_shared<std::string>();  // the first one
};

}  // namespace nibble
