#include "core/base/output_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/output_file.h"
#include "core/base/printable.h"
#include "core/base/unfinished.h"

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

// Puts a folder in another's place and that one in its own. False, with errno: neither is moved.
bool swap_folders(const std::string& a, const std::string& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno != EINVAL) return false;  // EINVAL: the file system cannot do it at once
  const std::string aside = a + ".old";
  if (::rename(b.c_str(), aside.c_str()) != 0) return false;
  const bool moved = ::rename(a.c_str(), b.c_str()) == 0;
  const int error = errno;
  ::rename(aside.c_str(), (moved ? a : b).c_str());
  errno = error;
  return moved;
}

}  // namespace

struct OutputFolder::State {
  fs::path target;
  std::string temporary;  // empty: committed

  ~State() {
    if (!temporary.empty()) remove();
  }
  void remove() {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    forget_unfinished(temporary.c_str());
  }
};

OutputFolder::OutputFolder(std::unique_ptr<State> state) : state_(std::move(state)) {}
OutputFolder::OutputFolder(OutputFolder&&) noexcept = default;
OutputFolder::~OutputFolder() = default;

Result<OutputFolder> OutputFolder::create(const fs::path& target, bool overwrite,
                                          const char* marker) {
  auto state = std::make_unique<State>();
  state->target = without_slash(target);
  NIBBLE_CHECK(check_target(state->target, overwrite, marker));
  std::string name =
      parent_of(state->target) / ("." + state->target.filename().string() + ".XXXXXX");
  if (!::mkdtemp(name.data())) return failed(state->target, "cannot be made", errno);
  state->temporary = name;
  remember_unfinished(state->temporary.c_str());
  const mode_t mask = ::umask(077);  // it can only be read by setting it
  ::umask(mask);
  ::chmod(name.c_str(), 0777 & ~mask);
  return OutputFolder(std::move(state));
}

fs::path OutputFolder::path() const { return state_->temporary; }

Result<void> OutputFolder::write(const char* name, std::string_view text) const {
  NIBBLE_TRY(OutputFile file, OutputFile::create(path() / name, false));
  NIBBLE_CHECK(file.write(std::as_bytes(std::span(text))));
  return file.commit();
}

// What stands under the target's name is swapped with the new folder, then removed: a rename
// replaces only empty folders.
Result<void> OutputFolder::commit() {
  State& s = *state_;
  sync_folder(s.temporary);
  std::error_code ignored;
  const bool replaces = fs::exists(s.target, ignored);
  if (replaces && !swap_folders(s.temporary, s.target))
    return failed(s.target, "cannot be replaced", errno);
  if (!replaces && ::rename(s.temporary.c_str(), s.target.c_str()) != 0)
    return failed(s.target, "cannot be made", errno);
  sync_folder(parent_of(s.target));
  s.remove();
  s.temporary.clear();
  return {};
}

}  // namespace nibble
