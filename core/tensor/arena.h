// All scratch memory of a run in one allocation, sized once: first every user says what it needs,
// then the arena is made, and nothing is allocated while tokens flow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/error.h"

namespace nibble {

class Arena {
 public:
  // Anonymous zero pages, huge ones asked for; memory is taken as it is touched. Fails with
  // kOutOfMemory.
  static Result<Arena> create(size_t n_bytes);
  Arena() = default;
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  // The next n bytes, 64-byte aligned. Asking for more than create() was told is a fault of
  // nibble's own.
  std::byte* take_bytes(size_t n);
  template <class T>
  std::span<T> take(size_t n) {
    return {reinterpret_cast<T*>(take_bytes(n * sizeof(T))), n};
  }
  static constexpr size_t aligned(size_t n_bytes) { return (n_bytes + 63) / 64 * 64; }
  size_t size() const { return size_; }
  size_t used() const { return used_; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
};

}  // namespace nibble
