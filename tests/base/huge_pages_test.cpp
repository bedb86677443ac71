// Small pages of the page cache are joined, or dropped and read again, in huge ones.
#include "core/base/huge_pages.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "core/base/mapped_file.h"
#include "core/base/memory_block.h"
#include "tests/temporary_folder.h"
#include "tests/test_data.h"

using namespace nibble;
using tests::TemporaryFolder;

namespace {
constexpr size_t kBytes = 4 * kHugePage + 4096;  // the last page is no huge one
constexpr int kPages = 4;

struct File {
  int fd;
  std::byte* begin = nullptr;
  explicit File(const std::filesystem::path& path) : fd(::open(path.c_str(), O_RDONLY)) {
    auto map = MemoryBlock::map(fd, kBytes);
    REQUIRE(map);
    begin = map->release();
    ::madvise(begin, kBytes, MADV_HUGEPAGE);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    ::munmap(begin, kBytes);
    ::close(fd);
  }

  void drop() const {
    ::fsync(fd);
    ::madvise(begin, kBytes, MADV_DONTNEED);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  }
  // As a program leaves it in the page cache that reads here and there.
  void read_in_small_pages() const {
    drop();
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    char page[4096];
    for (size_t at = 0; at < kBytes; at += sizeof page)
      REQUIRE(::pread(fd, page, sizeof page, static_cast<off_t>(at)) == sizeof page);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL);
    populate();
  }
  void populate() const { ::madvise(begin, kBytes, MADV_POPULATE_READ); }
  void gather() const { gather_in_huge_pages(fd, begin, kBytes, {}); }
  size_t n_huge() const { return bytes_in_huge_pages(begin, kBytes) / kHugePage; }
};

std::string content() {
  std::string bytes(kBytes, '\0');
  for (size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  return bytes;
}

// What the system itself makes of a file that is read for the first time.
bool file_system_has_huge_pages(const File& file) {
  file.drop();
  file.populate();
  if (file.n_huge() == kPages) return true;
  tests::report_skipped("huge pages: this kernel or file system has none in the page cache");
  return false;
}
}  // namespace

TEST_CASE("what was read in small pages is read again in huge ones, while others read it") {
  const TemporaryFolder folder;
  const std::string bytes = content();
  const File file(folder.write("weights", bytes));
  if (!file_system_has_huge_pages(file)) return;
  file.read_in_small_pages();
  REQUIRE(file.n_huge() == 0);
  bool same = true;
  {
    const std::jthread reader([&](const std::stop_token& stop) {
      while (!stop.stop_requested())
        same = same && std::memcmp(file.begin, bytes.data(), kBytes) == 0;
    });
    file.gather();
  }
  CHECK(same);
  file.gather();  // what the reader held
  CHECK(file.n_huge() == kPages);
  CHECK(std::memcmp(file.begin, bytes.data(), kBytes) == 0);
}

TEST_CASE("where the kernel joins pages in place, none is dropped") {
  const TemporaryFolder folder("/dev/shm");  // has no disk to read from
  const std::string bytes = content();
  const File file(folder.write("weights", bytes)), other(folder.write("other", bytes));
  constexpr int kJoin = 25;  // MADV_COLLAPSE
  if (::madvise(other.begin, kHugePage, kJoin) != 0)
    return tests::report_skipped("huge pages: this kernel does not join them in place");
  file.populate();
  REQUIRE(file.n_huge() == 0);
  file.gather();
  CHECK(file.n_huge() == kPages);
  CHECK(std::memcmp(file.begin, bytes.data(), kBytes) == 0);
}

TEST_CASE("bytes that are not on the disk yet are written before their pages are dropped") {
  const TemporaryFolder folder;
  const std::string bytes = content();
  const auto path = folder.write("weights", bytes);
  const File file(path);
  if (!file_system_has_huge_pages(file)) return;
  file.read_in_small_pages();
  const int writer = ::open(path.c_str(), O_WRONLY);
  for (size_t at = 0; at < kBytes; at += 4096)
    REQUIRE(::pwrite(writer, "changed", 7, static_cast<off_t>(at)) == 7);
  ::close(writer);
  file.gather();
  CHECK(file.n_huge() == kPages);
  CHECK(std::memcmp(file.begin + 4096, "changed", 7) == 0);
  CHECK(std::memcmp(file.begin + 4103, bytes.data() + 4103, 4096 - 7) == 0);
}

TEST_CASE("pages that are locked, or asked to stop, stay as they are") {
  const TemporaryFolder folder;
  const std::string bytes = content();
  const File file(folder.write("weights", bytes));
  if (!file_system_has_huge_pages(file)) return;
  file.read_in_small_pages();
  std::stop_source stop;
  stop.request_stop();
  gather_in_huge_pages(file.fd, file.begin, kBytes, stop.get_token());
  CHECK(file.n_huge() == 0);
  // Not ::mlock, which sanitizers make do nothing.
  if (::syscall(SYS_mlock, file.begin, kBytes) != 0)
    return tests::report_skipped("locking this much is not allowed");
  file.gather();
  CHECK(file.n_huge() == 0);
  CHECK(std::memcmp(file.begin, bytes.data(), kBytes) == 0);
}

TEST_CASE("a model that runs has its small pages gathered") {
  const TemporaryFolder folder;
  const auto path = folder.write("weights", content());
  {
    const File file(path);
    if (!file_system_has_huge_pages(file)) return;
    file.read_in_small_pages();
  }
  auto mapped = MappedFile::open(path);
  REQUIRE(mapped);
  mapped->preload();
  const auto n_huge = [&] {
    return bytes_in_huge_pages(mapped->bytes().data(), kBytes) / kHugePage;
  };
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(20);
  while (n_huge() < kPages && Clock::now() < end) std::this_thread::yield();
  CHECK(n_huge() == kPages);
}
