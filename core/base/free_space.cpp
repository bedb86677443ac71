#include "core/base/free_space.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <map>

#include "core/base/printable.h"

namespace nibble {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& target) {
  return target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
}

}  // namespace

Result<void> check_free_space(std::span<const SpaceWanted> wanted) {
  std::map<dev_t, SpaceWanted> sums;
  for (const SpaceWanted& w : wanted) {
    struct stat folder {};
    if (::stat(folder_of(w.target).c_str(), &folder) != 0) continue;
    SpaceWanted& sum = sums[folder.st_dev];
    if (sum.target.empty()) sum.target = w.target;
    sum.n_bytes += w.n_bytes;
  }
  for (const auto& [device, sum] : sums) {
    struct statvfs system {};
    if (::statvfs(folder_of(sum.target).c_str(), &system) != 0) continue;
    const uint64_t free = uint64_t{system.f_bavail} * system.f_frsize;
    if (free < sum.n_bytes)
      return fail(ErrorKind::kOutput, "{}: no space left: {} bytes missing ({} needed, {} free)",
                  printable(sum.target.native(), 200), sum.n_bytes - free, sum.n_bytes, free);
  }
  return {};
}

}  // namespace nibble
