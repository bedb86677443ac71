// A model ready to run: hyperparameters and weights of a file, checked against its family's table.
// Borrows the file.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "core/base/error.h"
#include "formats/weight_file.h"

namespace nibble {

class LoraWeights;    // core/models/lora.h
struct LoraInput;     // core/models/lora.h
struct Hparams;       // core/models/hparams.h
struct Architecture;  // core/models/architecture.h
struct Weights;       // core/models/weights.h

class Model {
 public:
  // Finds the family by the file's architecture, reads its hyperparameters, and checks name, shape
  // and format of each tensor it needs. Fails with kUnsupported (unknown family), kCorrupt (missing
  // or misshapen tensor, named); messages begin with the path. adapters change the weights
  // (kInvalidInput, named, where one does not fit them). file must outlive the model, adapters need
  // not.
  static Result<Model> load(const WeightFile& file, std::span<const LoraInput> adapters);
  static Result<Model> load(const WeightFile& file);
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const Architecture& architecture() const { return *architecture_; }
  const Hparams& hparams() const { return *hparams_; }
  const Weights& weights() const { return *weights_; }
  int n_vocab() const;  // rows of the logits
  int n_ctx_train() const;
  int n_layer() const;
  uint64_t n_params() const;
  // Bytes of weights that one generated token reads.
  uint64_t bytes_per_token() const;

 private:
  Model();
  const Architecture* architecture_ = nullptr;
  std::unique_ptr<Hparams> hparams_;
  std::unique_ptr<LoraWeights> lora_;
  std::unique_ptr<WeightFile> merged_;  // the file with what lora_ changes otherwise than beside it
  std::unique_ptr<Weights> weights_;
};

}  // namespace nibble
