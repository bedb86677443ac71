#include "core/tensor/arena.h"

#include <sys/mman.h>

#include <utility>

#include "core/base/assert.h"

namespace nibble {

Result<Arena> Arena::create(size_t n_bytes) {
  Arena arena;
  if (n_bytes == 0) return arena;
  void* data = mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED)
    return fail(ErrorKind::kOutOfMemory, "{} MiB of working memory cannot be had", n_bytes >> 20);
  madvise(data, n_bytes, MADV_HUGEPAGE);  // advice: its failure costs speed only
  arena.data_ = static_cast<std::byte*>(data);
  arena.size_ = n_bytes;
  return arena;
}

Arena::Arena(Arena&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      used_(std::exchange(other.used_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(used_, other.used_);
  return *this;
}

Arena::~Arena() {
  if (data_) munmap(data_, size_);
}

std::byte* Arena::take_bytes(size_t n) {
  const size_t rounded = aligned(n);
  NIBBLE_ASSERT(rounded >= n && rounded <= size_ - used_);
  std::byte* start = data_ + used_;
  used_ += rounded;
  return start;
}

}  // namespace nibble
