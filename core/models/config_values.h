// What the templates of config.json put in the place of "$name".
#pragma once

#include <optional>
#include <string_view>

#include "core/base/json.h"
#include "core/models/architecture.h"

namespace nibble {

struct ConfigFacts {
  const Hparams& h;
  const WeightFile& gguf;

  bool has(std::string_view tensor) const { return gguf.find(tensor) != nullptr; }
  // All values of a small tensor; empty where it is not there.
  std::vector<float> vector(std::string_view tensor) const;
  // ARCH.key as a number; nullopt where it is not there.
  std::optional<double> number(std::string_view key) const;
};

// nullopt: the member is left out. name: without the '$'; asserted to be known.
std::optional<Json> config_value(std::string_view name, const ConfigFacts& facts);
// A number as short as it can be written and still be this float.
Json short_number(double x);

// The llama3 scaling (with a base, a width, and n_ctx_train) whose divisors these are; nullopt:
// none with the usual low 1 and high 4.
std::optional<RopeHparams> llama3_scaling(const RopeHparams& rope, int n_ctx_train,
                                          const std::vector<float>& divisors);

}  // namespace nibble
