#include "formats/folder_model.h"

#include "core/base/printable.h"
#include "formats/path_message.h"

namespace nibble {

FolderModel::FolderModel(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)), index_(parts_->logical.views) {
  for (const CheckpointFile& part : parts_->files) {
    files_.push_back(part.file.path());
    n_bytes_ += part.file.bytes().size();
  }
}

Result<std::unique_ptr<WeightFile>> FolderModel::create(std::unique_ptr<Parts> parts) {
  std::unique_ptr<FolderModel> model(new FolderModel(std::move(parts)));
  if (const TensorView* twice = model->index_.duplicate(model->tensors()))
    return with_path(model->folder(),
                     corrupt("tensor {} stands there twice", in_quotes(twice->name)));
  return model;
}

std::vector<MappedFile*> FolderModel::maps() {
  std::vector<MappedFile*> maps;
  for (CheckpointFile& part : parts_->files) maps.push_back(&part.file);
  return maps;
}

}  // namespace nibble
