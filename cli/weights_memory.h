// How the weights of a running model stand in memory: --mlock and --no-mmap.
#pragma once

#include <array>

#include "cli/options.h"
#include "core/base/json_fwd.h"
#include "formats/weight_file.h"

namespace nibble::cli {

struct WeightsOptions {
  bool no_mmap = false;
  bool mlock = false;
};
std::array<Option*, 2> add_weights_options(App& command, WeightsOptions& options);

struct WeightsMemory {
  bool copied = false;  // read into memory, else mapped
  uint64_t n_bytes = 0;
  uint64_t n_locked = 0;
  double load_s = 0;  // 0 where pages come while the model runs
};
// Maps the weights in the background, or reads and locks them as the options say, and then tells
// what that took. Weights that cannot be locked are run without, with a notice. Fails with
// kOutOfMemory where a copy does not fit.
Result<WeightsMemory> place_weights(WeightFile& file, const WeightsOptions& options);
Json to_json(const WeightsMemory& memory, WeightFile& file);

}  // namespace nibble::cli
