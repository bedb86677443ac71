// Reads little-endian values from the front of a span, bounds first. Every failure names the byte
// offset.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "core/base/error.h"

namespace nibble {

static_assert(std::endian::native == std::endian::little, "values are read as they lie in files");

template <class T>
concept Plain = std::integral<T> || std::floating_point<T>;

// The value that stands at p, which need not be aligned.
template <Plain T>
T load_le(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

class ByteCursor {
 public:
  explicit ByteCursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint64_t offset() const { return at_; }
  uint64_t remaining() const { return bytes_.size() - at_; }

  template <Plain T>
  Result<T> read() {
    if (remaining() < sizeof(T)) return short_of(sizeof(T));
    const T value = load_le<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }
  Result<uint8_t> u8() { return read<uint8_t>(); }
  Result<uint16_t> u16() { return read<uint16_t>(); }
  Result<uint32_t> u32() { return read<uint32_t>(); }
  Result<uint64_t> u64() { return read<uint64_t>(); }

  // The next n bytes, borrowed.
  Result<std::span<const std::byte>> take(uint64_t n) {
    if (n > remaining()) return short_of(n);
    const auto bytes = bytes_.subspan(at_, n);
    at_ += n;
    return bytes;
  }
  // The next n bytes as text, borrowed.
  Result<std::string_view> text(uint64_t n) {
    NIBBLE_TRY(const auto bytes, take(n));
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  // A u64 length, at most max_length, and that many bytes of text.
  Result<std::string_view> string(uint64_t max_length) {
    const uint64_t start = at_;
    NIBBLE_TRY(const uint64_t length, u64());
    if (length > max_length)
      return corrupt("byte {}: a string of {} bytes, expected at most {}", start, length,
                     max_length);
    return text(length);
  }

 private:
  std::unexpected<Error> short_of(uint64_t n) const {
    return corrupt("byte {}: {} bytes expected, the file ends after {}", at_, n, remaining());
  }

  std::span<const std::byte> bytes_;
  uint64_t at_ = 0;
};

}  // namespace nibble
