// The measurements of `nibble bench`.
#pragma once

#include <string>

#include "cli/threads.h"
#include "cli/weights_memory.h"
#include "core/base/error.h"
#include "core/base/json_fwd.h"

namespace nibble::cli {

struct BenchOptions : ThreadOptions {
  std::string model;
  int n_prompt = 512;
  int n_generate = 128;
  int depth = 0;
  int n_batch = 512;
  int repetitions = 3;
  std::string kv_type = "f16";
  WeightsOptions weights;
  std::string text;  // --tokenize FILE
  bool json = false;
};

// A JSON array, an object for each test, as `bench --json` prints it.
Result<Json> bench_model(const BenchOptions& options);
Result<Json> bench_tokenizer(const BenchOptions& options);

}  // namespace nibble::cli
