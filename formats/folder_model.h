// The WeightFile of a folder: mapped files, tensors under Hugging Face's names, a configuration.
#pragma once

#include <memory>
#include <vector>

#include "core/base/json.h"
#include "formats/checkpoint_files.h"
#include "formats/encodings.h"
#include "formats/tensor_index.h"
#include "formats/weight_file.h"

namespace nibble {

class FolderModel final : public WeightFile {
 public:
  struct Parts {
    std::string_view container;
    std::filesystem::path folder;
    Json config;
    std::vector<CheckpointFile> files;
    std::vector<RawTensor> raw;  // what logical borrows from
    LogicalTensors logical;
  };
  // Fails (kCorrupt) where two tensors have one name.
  static Result<std::unique_ptr<WeightFile>> create(std::unique_ptr<Parts> parts);

  std::string_view container() const override { return parts_->container; }
  const Metadata& metadata() const override { return metadata_; }
  std::span<const TensorView> tensors() const override { return parts_->logical.views; }
  const TensorView* find(std::string_view name) const override {
    return index_.find(tensors(), name);
  }
  uint64_t n_bytes() const override { return n_bytes_; }
  std::span<const std::filesystem::path> files() const override { return files_; }
  const Json* config() const override { return &parts_->config; }
  const std::filesystem::path& folder() const override { return parts_->folder; }
  std::vector<MappedFile*> maps() override;

 private:
  explicit FolderModel(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  Metadata metadata_;  // empty: config() says it
  TensorIndex index_;
  std::vector<std::filesystem::path> files_;
  uint64_t n_bytes_ = 0;
};

// config.json, and safetensors or pytorch_model*.bin.
Result<std::unique_ptr<WeightFile>> open_hf_folder(const std::filesystem::path& folder);
// params.json and consolidated.NN.pth, shown as the Hugging Face folder of the same model would be.
Result<std::unique_ptr<WeightFile>> open_meta_folder(const std::filesystem::path& folder);

}  // namespace nibble
