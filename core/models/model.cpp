// See model.h.
#include "core/models/model.h"

#include "core/models/architecture.h"
#include "core/models/family.h"
#include "core/models/merged_file.h"
#include "core/models/weights.h"

namespace nibble {

Model::Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::load(const WeightFile& file) { return load(file, {}); }

Result<Model> Model::load(const WeightFile& file, std::span<const LoraInput> adapters) {
  Model model;
  NIBBLE_TRY(Family family, read_family(file));
  model.architecture_ = family.architecture;
  model.hparams_ = std::make_unique<Hparams>(std::move(family.hparams));
  const Hparams& h = *model.hparams_;
  const auto table = model.architecture_->tensors(h);
  NIBBLE_TRY(auto lora, LoraWeights::bind(adapters, h, table));
  model.lora_ = std::make_unique<LoraWeights>(std::move(lora));
  const WeightFile* source = &file;
  if (!model.lora_->empty()) {
    NIBBLE_TRY(model.merged_,
               MergedFile::create(file, h, table, *model.lora_, MergedFile::Which::kStacks));
    source = model.merged_.get();
  }
  NIBBLE_TRY(auto weights, with_path_of(file, Weights::load(*source, h, table, *model.lora_)));
  model.weights_ = std::make_unique<Weights>(std::move(weights));
  return model;
}

int Model::n_vocab() const { return hparams_->n_vocab; }
int Model::n_ctx_train() const { return hparams_->n_ctx_train; }
int Model::n_layer() const { return hparams_->n_layer; }
uint64_t Model::n_params() const { return weights_->n_params; }
uint64_t Model::bytes_per_token() const { return weights_->bytes_per_token; }

}  // namespace nibble
