#include "core/base/memory_block.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "core/base/thread_pool.h"

namespace nibble {
namespace {

constexpr size_t kReadBytes = size_t{8} << 20;  // of one thread at a time
constexpr int kMostReaders = 8;  // enough for a fast disk, and for copying a cached file

std::byte* round_up(std::byte* p) {
  const auto at = reinterpret_cast<uintptr_t>(p);
  return p + ((at + kHugePage - 1) / kHugePage * kHugePage - at);
}

// 0, or the errno that ended it; ENODATA: the file is shorter.
int read_range(int fd, std::byte* to, size_t at, size_t n) {
  while (n > 0) {
    const ssize_t got = ::pread(fd, to, n, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? errno : ENODATA;
    to += got;
    at += static_cast<size_t>(got);
    n -= static_cast<size_t>(got);
  }
  return 0;
}

}  // namespace

Result<MemoryBlock> MemoryBlock::map(int fd, size_t n_bytes) {
  const size_t reserve = n_bytes + kHugePage;
  void* room =
      ::mmap(nullptr, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED)
    return fail(ErrorKind::kOutOfMemory, "{} MiB of address space cannot be had: {}", reserve >> 20,
                std::strerror(errno));
  auto* first = static_cast<std::byte*>(room);
  std::byte* data = round_up(first);
  const bool file = fd >= 0;
  const int flags = MAP_FIXED | (file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  if (::mmap(data, n_bytes, file ? PROT_READ : PROT_READ | PROT_WRITE, flags, fd, 0) ==
      MAP_FAILED) {
    const int error = errno;
    ::munmap(room, reserve);
    return fail(error == ENOMEM ? ErrorKind::kOutOfMemory : ErrorKind::kInvalidInput,
                "cannot be mapped ({} bytes): {}", n_bytes, std::strerror(error));
  }
  if (data > first) ::munmap(room, static_cast<size_t>(data - first));
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  std::byte* end = data + (n_bytes + page - 1) / page * page;
  if (end < first + reserve) ::munmap(end, static_cast<size_t>(first + reserve - end));
  MemoryBlock block;
  block.data_ = data;
  block.size_ = n_bytes;
  return block;
}

MemoryBlock::~MemoryBlock() {
  if (data_) ::munmap(data_, size_);
}

Result<MemoryBlock> read_into_memory(int fd, size_t n_bytes) {
  NIBBLE_TRY(MemoryBlock memory, MemoryBlock::map(-1, n_bytes));
  ::madvise(memory.data(), n_bytes, MADV_HUGEPAGE);
  std::atomic<size_t> next = 0;
  std::atomic<int> error = 0;
  const auto read_pieces = [&] {
    for (size_t at; error == 0 && (at = next.fetch_add(kReadBytes)) < n_bytes;)
      if (const int e = read_range(fd, memory.data() + at, at, std::min(kReadBytes, n_bytes - at)))
        error = e;
  };
  {
    std::vector<std::jthread> readers;
    const size_t n_pieces = (n_bytes + kReadBytes - 1) / kReadBytes;
    const size_t most = static_cast<size_t>(std::min(default_threads(), kMostReaders));
    for (size_t i = 1; i < std::min(n_pieces, most); ++i) readers.emplace_back(read_pieces);
    read_pieces();
  }
  if (error == ENODATA) return invalid_input("the file has become shorter while it was read");
  if (error != 0) return invalid_input("cannot be read: {}", std::strerror(error));
  return memory;
}

}  // namespace nibble
