// Writes a model as a Hugging Face folder that transformers loads: config.json, safetensors, the
// tokenizer, what generates and under which terms.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "formats/stored_type.h"
#include "formats/weight_file.h"

namespace nibble {

struct ToHfOptions {
  std::filesystem::path target;
  const StoredType* type = nullptr;  // what all tensors become; null: as they are stored
  uint64_t max_shard_bytes = 0;      // 0: one file
  bool overwrite = false;            // an existing folder of a model is replaced
  // Asked between batches, with the bytes of tensors done and in all; false: stop.
  FunctionRef<bool(uint64_t, uint64_t)> go_on;
};

struct ToHfResult {
  uint64_t n_bytes = 0;  // of all safetensors files
  size_t n_tensors = 0, n_files = 0;
  std::string_view torch_dtype;
  bool has_tokenizer = false;
  std::vector<std::string_view> left_out;  // tensors that the family does not use
};

// source: a GGUF model, or a folder as one. The folder appears under its name when it is whole.
// Fails with kUsage (a target that is there, or holds the source), kUnsupported (what no folder can
// say), kInvalidInput (a quantized tensor without a type), kOutput.
Result<ToHfResult> write_hf_folder(WeightFile& source, const ToHfOptions& options,
                                   ThreadPool& pool);

}  // namespace nibble
