// Writes a PEFT adapter as llama.cpp's GGUF adapter: its names, rows in GGUF's order.
#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "formats/lora_file.h"
#include "formats/weight_file.h"

namespace nibble {

struct LoraToGgufResult {
  size_t n_pairs = 0;
  uint64_t n_bytes = 0;  // of the file
};

// base: the model that the adapter is for, a GGUF file or a folder. All values are F32. Fails with
// kInvalidInput where the adapter does not fit the base, kUnsupported where a GGUF adapter has no
// place for a pair, kUsage where the target is there and overwrite is not set, kOutput.
Result<LoraToGgufResult> write_gguf_adapter(const LoraFile& adapter, const WeightFile& base,
                                            const std::filesystem::path& target, bool overwrite);

}  // namespace nibble
