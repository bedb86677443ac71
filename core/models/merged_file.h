// A model's file with the changes of adapters merged into its weights: rows of changed tensors are
// decoded, changed and given in f32. For what is written anew, and for matrices beside which no
// product of low rank is computed (experts, MLA's kv_b).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "core/models/lora.h"
#include "formats/weight_file.h"

namespace nibble {

class MergedFile final : public WeightFile {
 public:
  enum class Which { kAll, kStacks };  // kStacks: those whose GGUF tensor is a stack of matrices

  // base and lora must outlive the result. Fails (kInvalidInput) where the base does not store a
  // tensor that is to be changed.
  static Result<std::unique_ptr<MergedFile>> create(const WeightFile& base, const Hparams& hparams,
                                                    const std::vector<TensorSpec>& table,
                                                    const LoraWeights& lora, Which which);

  // All changes of the adapters, in a file that owns what it is made of.
  static Result<std::unique_ptr<MergedFile>> create(std::unique_ptr<WeightFile> base,
                                                    std::span<const LoraInput> adapters);

  std::string_view container() const override { return base_.container(); }
  const Metadata& metadata() const override { return base_.metadata(); }
  std::span<const TensorView> tensors() const override { return tensors_; }
  const TensorView* find(std::string_view name) const override;
  uint64_t n_bytes() const override { return base_.n_bytes(); }
  std::span<const std::filesystem::path> files() const override { return base_.files(); }
  const Json* config() const override { return base_.config(); }
  const std::filesystem::path& folder() const override { return base_.folder(); }
  std::vector<MappedFile*> maps() override {  // none of a borrowed base
    return owned_base_ ? owned_base_->maps() : std::vector<MappedFile*>();
  }

 private:
  explicit MergedFile(const WeightFile& base) : base_(base) {}

  const WeightFile& base_;
  std::unique_ptr<WeightFile> owned_base_;
  std::unique_ptr<LoraWeights> owned_lora_;
  std::vector<TensorView> tensors_;
  std::vector<std::unique_ptr<RowDecoder>> decoders_;
};

}  // namespace nibble
