// Writes safetensors files, one or several with an index (model-00001-of-00003.safetensors,
// model.safetensors.index.json), tensor by tensor. Source: the format's README and transformers'
// sharding.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/output_file.h"
#include "formats/stored_type.h"

namespace nibble {

struct SafetensorPlan {
  std::string name;
  const StoredType* type = nullptr;
  Shape shape;

  uint64_t n_bytes() const { return static_cast<uint64_t>(shape.n_elements()) * type->n_bytes(); }
};

struct SafetensorsShard {
  std::string file_name;
  std::string header;  // with its length before it
  size_t first = 0, n_tensors = 0;
  uint64_t n_bytes = 0;  // of the whole file
};

// The files that the tensors make, in their order; max_shard_bytes: of a file's tensors, 0: one
// file.
std::vector<SafetensorsShard> lay_out_safetensors(const std::vector<SafetensorPlan>& tensors,
                                                  uint64_t max_shard_bytes);

class SafetensorsWriter {
 public:
  // Writes into a folder that is there. Fails with kOutput.
  SafetensorsWriter(std::filesystem::path folder, std::vector<SafetensorPlan> tensors,
                    uint64_t max_shard_bytes);

  // The bytes of all tensors in the plan's order, in pieces that do not reach over a tensor's end.
  Result<void> write(std::span<const std::byte> bytes);
  // After the last byte: the last file is made durable, and the index of several files written.
  Result<void> finish();
  uint64_t n_bytes() const;  // of all files, the index aside
  size_t n_files() const { return shards_.size(); }

 private:
  Result<void> open_next();
  Result<void> write_index() const;

  std::filesystem::path folder_;
  std::vector<SafetensorPlan> tensors_;
  std::vector<SafetensorsShard> shards_;
  std::unique_ptr<OutputFile> file_;
  size_t n_opened_ = 0;  // shards
  uint64_t n_left_ = 0;  // bytes of the open one
};

}  // namespace nibble
