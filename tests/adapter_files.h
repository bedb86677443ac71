// Writes low-rank adapters for tests, in both layouts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nibble::tests {

struct AdapterPair {
  std::string name;  // of the weight: in GGUF's layout as it stands, in PEFT's without ".weight"
  int64_t n = 1;     // matrices in a stack
  int64_t rank = 0, n_rows = 0, n_cols = 0;
  std::vector<float> a;  // [n, rank, n_cols]
  std::vector<float> b;  // [n, n_rows, rank]
};

// A pair of repeatable numbers, different for each name, so large that W + B A is unlike W.
AdapterPair random_pair(std::string name, int64_t rank, int64_t n_rows, int64_t n_cols,
                        int64_t n = 1);

// adapter_config.json and adapter_model.safetensors. more: members to add to the configuration,
// "" or ", \"use_rslora\": true"; rank and alpha: its r and lora_alpha.
void write_peft_adapter(const std::filesystem::path& folder, const std::vector<AdapterPair>& pairs,
                        int64_t rank, double alpha, const std::string& more = "");
void write_gguf_adapter(const std::filesystem::path& file, const std::vector<AdapterPair>& pairs,
                        float alpha, std::string_view family = "llama");

}  // namespace nibble::tests
