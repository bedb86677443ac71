// Files that a model's folder names in its own files: looked for in that folder and nowhere else.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json_fwd.h"
#include "core/base/mapped_file.h"

namespace nibble {

// Opens NAME of the folder, or of a folder in it. Fails where name is not a plain file name, or
// leads out of the folder through a symbolic link (into the blobs of the Hugging Face cache that
// the folder is part of is no way out). Messages begin with the path.
Result<MappedFile> open_in_folder(const std::filesystem::path& folder, std::string_view name,
                                  std::string_view subfolder = {});

// Notes which files its thread opens so, while it lives.
class OpenedFiles {
 public:
  OpenedFiles();
  ~OpenedFiles();
  OpenedFiles(const OpenedFiles&) = delete;
  OpenedFiles& operator=(const OpenedFiles&) = delete;
  // Each once, in the order in which they were opened first.
  const std::vector<std::filesystem::path>& paths() const { return paths_; }
  void add(const std::filesystem::path& path);

 private:
  std::vector<std::filesystem::path> paths_;
  OpenedFiles* outer_;
};

inline constexpr uint64_t kMaxConfigBytes = 256u << 20;

// A JSON object in a file of the folder.
Result<Json> read_json_in_folder(const std::filesystem::path& folder, std::string_view name);

bool has_file(const std::filesystem::path& folder, std::string_view name);

}  // namespace nibble
