#include "formats/folder_files.h"

#include <algorithm>
#include <utility>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "formats/path_message.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

thread_local OpenedFiles* t_opened = nullptr;

bool lies_in(const fs::path& file, const fs::path& folder) {
  const auto end = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first;
  return end == folder.end();
}

// .../models--ORG--NAME/snapshots/REVISION holds links to .../models--ORG--NAME/blobs.
fs::path cache_blobs(const fs::path& real_folder) {
  const fs::path snapshots = real_folder.parent_path();
  return snapshots.filename() == "snapshots" ? snapshots.parent_path() / "blobs" : fs::path();
}

Result<void> check_stays_inside(const fs::path& folder, const fs::path& file) {
  std::error_code error;
  const fs::path real_file = fs::canonical(file, error);
  if (error) return {};  // not there: opening it says so
  const fs::path real_folder = fs::canonical(folder, error), blobs = cache_blobs(real_folder);
  if (!error && (lies_in(real_file, real_folder) || (!blobs.empty() && lies_in(real_file, blobs))))
    return {};
  return unsupported("is a link that leads out of the folder, to {}",
                     printable(real_file.native(), 200));
}

}  // namespace

OpenedFiles::OpenedFiles() : outer_(std::exchange(t_opened, this)) {}
OpenedFiles::~OpenedFiles() { t_opened = outer_; }
void OpenedFiles::add(const fs::path& path) {
  if (std::ranges::find(paths_, path) == paths_.end()) paths_.push_back(path);
}

Result<MappedFile> open_in_folder(const fs::path& folder, std::string_view name,
                                  std::string_view subfolder) {
  const bool plain = !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
                     name.find('\0') == name.npos;
  if (!plain)
    return with_path(folder,
                     unsupported("names the file {}, which is not in the folder", in_quotes(name)));
  const fs::path path = folder / subfolder / name;
  NIBBLE_CHECK(with_path(path, check_stays_inside(folder, path)));
  if (t_opened) t_opened->add(path);
  return with_path(path, MappedFile::open(path));
}

Result<Json> read_json_in_folder(const fs::path& folder, std::string_view name) {
  NIBBLE_TRY(const MappedFile file, open_in_folder(folder, name));
  if (file.bytes().size() > kMaxConfigBytes)
    return with_path(file.path(), unsupported("{} bytes of JSON, more than {}", file.bytes().size(),
                                              kMaxConfigBytes));
  NIBBLE_TRY(Json json, with_path(file.path(), parse_json(file.text())));
  if (!json.is_object()) return with_path(file.path(), corrupt("is no JSON object"));
  return json;
}

bool has_file(const fs::path& folder, std::string_view name) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(folder / name, ignored));
}

}  // namespace nibble
