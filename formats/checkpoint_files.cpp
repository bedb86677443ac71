#include "formats/checkpoint_files.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "formats/folder_files.h"
#include "formats/path_message.h"
#include "formats/safetensors.h"
#include "formats/torch_zip.h"

namespace nibble {
namespace {

// In the order of preference; an index goes before a file of its own kind.
struct Layout {
  std::string_view index, single;
};
constexpr Layout kLayouts[] = {{"model.safetensors.index.json", "model.safetensors"},
                               {"pytorch_model.bin.index.json", "pytorch_model.bin"}};

// Keeps those tensors that the index says stand in the file.
Result<void> keep_indexed(CheckpointFile& part, const std::set<std::string>& wanted) {
  std::erase_if(part.tensors, [&](const RawTensor& t) { return !wanted.contains(t.name); });
  if (part.tensors.size() == wanted.size()) return {};
  std::set<std::string_view> found;
  for (const RawTensor& t : part.tensors) found.insert(t.name);
  for (const std::string& name : wanted)
    if (!found.contains(name))
      return corrupt("tensor {} is missing, the index says it stands here", in_quotes(name));
  return corrupt("a tensor stands there twice");
}

Result<std::vector<CheckpointFile>> open_indexed(const std::filesystem::path& folder,
                                                 std::string_view index_name) {
  NIBBLE_TRY(const ShardIndex index, read_shard_index(folder, index_name));
  std::vector<CheckpointFile> files;
  for (const auto& [name, tensors] : index) {
    auto file = open_checkpoint_file(folder, name);
    if (!file && file.error().kind == ErrorKind::kNotFound)
      return fail(ErrorKind::kNotFound, "{}: is missing, {} names it",
                  printable((folder / name).native(), 200), index_name);
    if (!file) return std::unexpected(std::move(file).error());
    NIBBLE_CHECK(with_path(file->file.path(), keep_indexed(*file, tensors)));
    files.push_back(std::move(*file));
  }
  return files;
}

}  // namespace

Result<CheckpointFile> open_checkpoint_file(const std::filesystem::path& folder,
                                            std::string_view name) {
  NIBBLE_TRY(MappedFile file, open_in_folder(folder, name));
  const std::string_view text = file.text();
  const bool torch = (text.starts_with("PK") || text.starts_with("\x80\x02")) &&
                     !begins_safetensors(text);  // whose length may have these bytes
  NIBBLE_TRY(auto tensors, with_path(file.path(), torch ? read_torch_zip(file.bytes())
                                                        : read_safetensors(file.bytes())));
  return CheckpointFile{std::move(file), std::move(tensors)};
}

Result<ShardIndex> read_shard_index(const std::filesystem::path& folder,
                                    std::string_view index_name) {
  NIBBLE_TRY(const Json json, read_json_in_folder(folder, index_name));
  const auto path = folder / index_name;
  const auto map = json.find("weight_map");
  if (map == json.end() || !map->is_object() || map->empty())
    return with_path(path, corrupt("has no 'weight_map'"));
  ShardIndex index;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string())
      return with_path(path, corrupt("tensor {} has no file", in_quotes(tensor)));
    index[file.get<std::string>()].insert(tensor);
  }
  return index;
}

Result<std::vector<CheckpointFile>> open_checkpoint(const std::filesystem::path& folder) {
  for (const Layout& layout : kLayouts) {
    if (has_file(folder, layout.index)) return open_indexed(folder, layout.index);
    if (!has_file(folder, layout.single)) continue;
    NIBBLE_TRY(CheckpointFile file, open_checkpoint_file(folder, layout.single));
    std::vector<CheckpointFile> files;
    files.push_back(std::move(file));
    return files;
  }
  return with_path(folder, fail(ErrorKind::kNotFound,
                                "has no weights: neither model.safetensors nor "
                                "pytorch_model.bin, nor an index of parts"));
}

}  // namespace nibble
