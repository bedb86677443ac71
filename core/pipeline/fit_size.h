// Makes a mix for a size: measures what each tensor would lose in each format and spends the bytes
// where they save most.
#pragma once

#include <string>

#include "core/pipeline/quantize.h"

namespace nibble {

struct SizeBudget {
  uint64_t n_bytes = 0;  // of the target's files; 0: bpw counts
  double bpw = 0;        // of the tensors' data
  std::string text;      // as it was asked for: "--size 6GiB"
};

// Whether the formats that may be given reach 97 to 100 % of the budget. Fails (kInvalidInput) with
// the end of their range that is missed; and as plan_quantize does.
Result<void> check_reach(const WeightFile& source, const QuantizeOptions& options,
                         const SizeBudget& budget, const std::filesystem::path& target);

// The mix for options' source, overrides and importance that loses least within the budget; the
// same for any number of threads. progress(tensors done, tensors) false: kInterrupted.
Result<FittedMix> fit_mix(const WeightFile& source, const QuantizeOptions& options,
                          const SizeBudget& budget, const std::filesystem::path& target,
                          ThreadPool& pool, FunctionRef<bool(int done, int total)> progress);

}  // namespace nibble
