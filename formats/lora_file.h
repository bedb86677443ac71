// Reads a low-rank adapter: beside weights W it holds pairs of small matrices that change them to
// W + scale * B A (Hu 2021, arXiv:2106.09685). Two layouts: a PEFT folder (adapter_config.json with
// adapter_model.safetensors or .bin) and llama.cpp's GGUF file (adapter.type "lora"). Knows nothing
// of the model it was made for.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "formats/checkpoint_files.h"
#include "formats/encodings.h"
#include "formats/weight_file.h"

namespace nibble {

struct LoraPair {
  std::string name;  // of the weight it changes, as the base stores it: PEFT "model.layers.0.self_
                     // attn.q_proj.weight", GGUF "blk.0.attn_q.weight"
  TensorView a;      // [rank, n_cols], for a stack of matrices [n, rank, n_cols]
  TensorView b;      // [n_rows, rank], or [n, n_rows, rank]
  float scale = 1;   // alpha / rank, or alpha / sqrt(rank) (rsLoRA, arXiv:2312.03732)

  int64_t rank() const { return b.shape.n_cols(); }
};

inline constexpr const char* kAdapterConfig = "adapter_config.json";  // of a PEFT folder

// For who wants a model: fails (kUnsupported) where keys are those of an adapter.
Result<void> refuse_adapter(const Metadata& keys);
std::unexpected<Error> adapter_is_no_model();

class LoraFile {
 public:
  // path: the folder, a file in it, or the GGUF file. Fails with kNotFound, kCorrupt, or
  // kUnsupported, naming what is not read: DoRA, whole weights beside the pairs, biases, other
  // methods than LoRA. Messages begin with the path.
  static Result<LoraFile> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::span<const LoraPair> pairs() const { return pairs_; }  // names unique
  bool has_hf_names() const { return !gguf_; }
  // The keys of a GGUF adapter; nullptr for a PEFT folder.
  const Metadata* metadata() const { return gguf_ ? &gguf_->metadata() : nullptr; }

 private:
  Result<void> read_gguf();
  Result<void> read_peft();

  std::filesystem::path path_;
  std::unique_ptr<WeightFile> gguf_;
  std::vector<CheckpointFile> files_;  // of a PEFT folder
  LogicalTensors tensors_;
  std::vector<LoraPair> pairs_;
};

}  // namespace nibble
