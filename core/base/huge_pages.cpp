#include "core/base/huge_pages.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

#include "core/base/memory_block.h"

namespace nibble {
namespace {

// Of <linux/fs.h> since 6.7: which pages of a range are of the wanted categories.
struct Region {
  uint64_t begin, end, categories;
};
struct Scan {
  uint64_t size, flags, begin, end, walk_end;
  uint64_t regions, n_regions, max_pages;
  uint64_t inverted, mask, any_of, returned;
};
constexpr unsigned long kScan = _IOWR('f', 16, Scan);
constexpr uint64_t kIsHuge = 1 << 6;
constexpr int kCollapse = 25;  // MADV_COLLAPSE, since 6.1

// /proc/self/pagemap.
class PageMap {
 public:
  PageMap() : fd_(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}
  PageMap(const PageMap&) = delete;
  PageMap& operator=(const PageMap&) = delete;
  ~PageMap() {
    if (fd_ >= 0) ::close(fd_);
  }

  size_t huge_bytes(const std::byte* begin, size_t n_bytes) const {
    Region regions[64];
    const uint64_t end = reinterpret_cast<uint64_t>(begin + n_bytes);
    size_t huge = 0;
    for (uint64_t at = reinterpret_cast<uint64_t>(begin); at < end;) {
      Scan scan{};
      scan.size = sizeof(Scan);
      scan.begin = at, scan.end = end;
      scan.regions = reinterpret_cast<uint64_t>(regions), scan.n_regions = std::size(regions);
      scan.mask = scan.returned = kIsHuge;
      const int n = ::ioctl(fd_, kScan, &scan);
      if (n < 0 || scan.walk_end <= at) return 0;
      for (int i = 0; i < n; ++i) huge += regions[i].end - regions[i].begin;
      at = scan.walk_end;
    }
    return huge;
  }

 private:
  int fd_;
};

// What is not clean yet is written first, as only clean pages can be dropped.
void read_again(int fd, std::byte* page, size_t offset) {
  constexpr auto kWrite =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  const auto at = static_cast<off_t>(offset), n = static_cast<off_t>(kHugePage);
  ::sync_file_range(fd, at, n, kWrite);
  if (::madvise(page, kHugePage, MADV_DONTNEED) != 0) return;  // locked
  ::posix_fadvise(fd, at, n, POSIX_FADV_DONTNEED);
  ::madvise(page, kHugePage, MADV_POPULATE_READ);
}

}  // namespace

size_t bytes_in_huge_pages(const std::byte* begin, size_t n_bytes) {
  return PageMap().huge_bytes(begin, n_bytes);
}

void gather_in_huge_pages(int fd, std::byte* begin, size_t n_bytes, const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  constexpr int kMaxFailed = 4;                     // one after the other: one alone was in use
  constexpr double kSlowest = 200e6, kStart = 0.2;  // bytes a second of a disk; seconds
  const PageMap map;
  const auto is_huge = [&](const std::byte* page) {
    return map.huge_bytes(page, kHugePage) == kHugePage;
  };
  bool joins = true;
  int n_failed = 0;
  double bytes_read = 0;
  const auto since = Clock::now();
  for (size_t at = 0; at + kHugePage <= n_bytes && !stop.stop_requested(); at += kHugePage) {
    std::byte* page = begin + at;
    if (is_huge(page)) continue;
    joins = joins && ::madvise(page, kHugePage, kCollapse) == 0;
    if (!joins) read_again(fd, page, at), bytes_read += kHugePage;
    n_failed = is_huge(page) ? 0 : n_failed + 1;
    if (n_failed == kMaxFailed) return;
    const std::chrono::duration<double> taken = Clock::now() - since;
    if (taken.count() > kStart + bytes_read / kSlowest) return;
  }
}

}  // namespace nibble
