// See model.h.
#include "core/models/model.h"

#include <algorithm>

#include "core/models/architecture.h"
#include "core/models/folder_config.h"
#include "core/models/weights.h"

namespace nibble {
namespace {

std::string known_names() {
  std::string names;
  for (const Architecture* a : architectures()) {
    if (!names.empty()) names += ", ";
    names += a->gguf_name;
  }
  return names;
}

}  // namespace

Model::Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::load(const WeightFile& file) {
  Model model;
  if (file.config()) {
    NIBBLE_CHECK(model.read_folder(file));
  } else {
    NIBBLE_CHECK(model.read_gguf(file));
  }
  const Hparams& h = *model.hparams_;
  NIBBLE_TRY(auto weights, Weights::load(file, h, model.architecture_->tensors(h)));
  model.weights_ = std::make_unique<Weights>(std::move(weights));
  return model;
}

Result<void> Model::read_gguf(const WeightFile& file) {
  NIBBLE_TRY(const auto name, file.metadata().need_string("general.architecture"));
  architecture_ = find_architecture(name);
  if (!architecture_)
    return unsupported("key 'general.architecture': '{}' is not built in; nibble runs {}", name,
                       known_names());
  NIBBLE_TRY(auto hparams, architecture_->read_hparams({file.metadata(), &file}));
  hparams_ = std::make_unique<Hparams>(std::move(hparams));
  return {};
}

Result<void> Model::read_folder(const WeightFile& file) {
  NIBBLE_TRY(const auto found, read_folder_config(*file.config()));
  architecture_ = found.architecture;
  NIBBLE_TRY(auto hparams, architecture_->read_hparams({found.metadata, nullptr}));
  hparams_ = std::make_unique<Hparams>(std::move(hparams));
  return {};
}

int Model::n_vocab() const { return hparams_->n_vocab; }
int Model::n_ctx_train() const { return hparams_->n_ctx_train; }
int Model::n_layer() const { return hparams_->n_layer; }
uint64_t Model::n_params() const { return weights_->n_params; }
uint64_t Model::bytes_per_token() const { return weights_->bytes_per_token; }

}  // namespace nibble
