// All weight files of a checkpoint, opened and read: what a folder model borrows from.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mapped_file.h"
#include "formats/stored_type.h"

namespace nibble {

struct CheckpointFile {
  MappedFile file;
  std::vector<RawTensor> tensors;
};

// NAME of the folder, a .safetensors file or a PyTorch zip, told apart by content.
Result<CheckpointFile> open_checkpoint_file(const std::filesystem::path& folder,
                                            std::string_view name);

// What an index file (model.safetensors.index.json) says: the tensors of each file.
using ShardIndex = std::map<std::string, std::set<std::string>, std::less<>>;
Result<ShardIndex> read_shard_index(const std::filesystem::path& folder,
                                    std::string_view index_name);

// The files of a Hugging Face folder: of an index, where there is one, all files it names, and of
// each the tensors that it says stand there. Fails (kNotFound) naming a file that is missing,
// (kCorrupt) a tensor that is.
Result<std::vector<CheckpointFile>> open_checkpoint(const std::filesystem::path& folder);

}  // namespace nibble
