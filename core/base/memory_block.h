// Address space of whole huge pages' alignment, and files read into it. Linux only.
#pragma once

#include <cstddef>
#include <utility>

#include "core/base/error.h"

namespace nibble {

inline constexpr size_t kHugePage = size_t{2} << 20;

// A mapping that begins at a multiple of kHugePage, so that both page cache and anonymous memory
// can be mapped in huge pages. Owns it until release().
class MemoryBlock {
 public:
  MemoryBlock() = default;
  // fd >= 0: that file's first n_bytes, read-only and shared; -1: anonymous, to write. Fails with
  // kOutOfMemory, or kInvalidInput where the file cannot be mapped.
  static Result<MemoryBlock> map(int fd, size_t n_bytes);
  MemoryBlock(MemoryBlock&& other) noexcept { *this = std::move(other); }
  MemoryBlock& operator=(MemoryBlock&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MemoryBlock();

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::byte* release() {
    size_ = 0;
    return std::exchange(data_, nullptr);
  }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// The first n_bytes of a file in anonymous memory, huge pages asked for, read by several threads.
// Fails with kOutOfMemory, or kInvalidInput when the file cannot be read or is shorter.
Result<MemoryBlock> read_into_memory(int fd, size_t n_bytes);

}  // namespace nibble
