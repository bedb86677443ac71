#include "core/base/output_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/output_file.h"
#include "core/base/printable.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> failed(const fs::path& path, const char* what, int error) {
  return fail(ErrorKind::kOutput, "{}: {}: {}", printable(path.native(), 200), what,
              std::strerror(error));
}

// "models/x/" -> "models/x"
fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

Result<void> check_target(const fs::path& target, bool overwrite, const char* marker) {
  std::error_code error;
  const auto status = fs::symlink_status(target, error);
  if (!fs::exists(status)) return {};
  const std::string name = printable(target.native(), 200);
  if (!fs::is_directory(status)) return fail(ErrorKind::kUsage, "{}: is there, no folder", name);
  if (fs::is_empty(target, error)) return {};
  if (!overwrite) return fail(ErrorKind::kUsage, "{}: exists already", name);
  if (!fs::exists(target / marker, error))
    return fail(ErrorKind::kUsage, "{}: is not replaced: it has no {}, so it is another folder",
                name, marker);
  return {};
}

void sync_folder(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

Result<OutputFolder> OutputFolder::create(const fs::path& target, bool overwrite,
                                          const char* marker) {
  OutputFolder out;
  out.target_ = without_slash(target);
  NIBBLE_CHECK(check_target(out.target_, overwrite, marker));
  std::string name = parent_of(out.target_) / ("." + out.target_.filename().string() + ".XXXXXX");
  if (!::mkdtemp(name.data())) return failed(out.target_, "cannot be made", errno);
  out.temporary_ = name;
  const mode_t mask = ::umask(077);  // it can only be read by setting it
  ::umask(mask);
  ::chmod(name.c_str(), 0777 & ~mask);
  return out;
}

OutputFolder::OutputFolder(OutputFolder&& other) noexcept
    : target_(std::move(other.target_)), temporary_(std::move(other.temporary_)) {
  other.temporary_.clear();
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

Result<void> OutputFolder::write(const char* name, std::string_view text) const {
  NIBBLE_TRY(OutputFile file, OutputFile::create(temporary_ / name, false));
  NIBBLE_CHECK(file.write(std::as_bytes(std::span(text))));
  return file.commit();
}

// What stands under the target's name is moved aside first: a rename replaces only empty folders.
Result<void> OutputFolder::commit() {
  sync_folder(temporary_);
  std::error_code error, ignored;
  const fs::path old = temporary_.string() + ".old";
  const bool replaces = fs::exists(target_, ignored);
  if (replaces && ::rename(target_.c_str(), old.c_str()) != 0)
    return failed(target_, "cannot be replaced", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    const int what = errno;
    if (replaces) fs::rename(old, target_, ignored);
    return failed(target_, "cannot be made", what);
  }
  temporary_.clear();
  if (replaces) fs::remove_all(old, ignored);
  sync_folder(parent_of(target_));
  return {};
}

}  // namespace nibble
