// A small Hugging Face folder of random weights: two layers of Llama with grouped heads, a
// byte-level tokenizer, a chat template, a model card.
#pragma once

#include <filesystem>
#include <string>

namespace nibble::tests {

struct FolderOptions {
  const char* dtype = "BF16";  // F32, F16 or BF16
  float scale = 0.2f;          // of weights
  float largest = 0;           // the first weight of the first layer's ffn_up; 0: as others
  std::string missing = {};    // a tensor that is left out
  std::string regex = {};      // of the pre-tokenizer; empty: GPT-2's own
  bool tokenizer = true;
};
void write_folder_model(const std::filesystem::path& folder, const FolderOptions& options = {});

}  // namespace nibble::tests
