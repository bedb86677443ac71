// What every container of weights gives: metadata by key, tensors by name, all borrowed from mapped
// files.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json_fwd.h"
#include "core/base/mapped_file.h"
#include "core/tensor/tensor_view.h"
#include "formats/metadata.h"
#include "formats/path_message.h"

namespace nibble {

class WeightFile {
 public:
  virtual ~WeightFile() = default;
  virtual std::string_view container() const = 0;  // "gguf", "safetensors", ...
  virtual const Metadata& metadata() const = 0;
  virtual std::span<const TensorView> tensors() const = 0;  // in file order, names unique
  virtual const TensorView* find(std::string_view name) const = 0;
  virtual uint64_t n_bytes() const = 0;  // of all files together
  virtual std::span<const std::filesystem::path> files() const = 0;
  // A folder's config.json, or what it would say; nullptr where the metadata says all (GGUF). In a
  // folder tensors have Hugging Face's names, and those stored as codes and scales stand there
  // once, under the name of the weight.
  virtual const Json* config() const { return nullptr; }
  // The folder that was opened, where tokenizer and templates lie beside the weights; empty for a
  // file.
  virtual const std::filesystem::path& folder() const;
  // The files that the tensors are borrowed from.
  virtual std::vector<MappedFile*> maps() = 0;
  // How the weights are going to be read. preload: again and again, by a running model (maps them
  // in the background); read_ahead: once, front to back.
  void preload() {
    for (MappedFile* map : maps()) map->preload();
  }
  void read_ahead() {
    for (MappedFile* map : maps()) map->read_ahead();
  }
};

// Puts before a message what the user knows the file by: its folder, or its first file's path. What
// stands in memory alone has neither.
template <class T>
Result<T> with_path_of(const WeightFile& file, Result<T> result) {
  if (!file.folder().empty()) return with_path(file.folder(), std::move(result));
  if (!file.files().empty()) return with_path(file.files().front(), std::move(result));
  return result;
}

// Opens MODEL: a file (any shard of a split one) or a folder. The container is told by content, not
// by name. Fails with kNotFound, kCorrupt or kUnsupported; messages begin with the path.
Result<std::unique_ptr<WeightFile>> open_weight_file(const std::filesystem::path& path);

}  // namespace nibble
