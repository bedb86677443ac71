// Writes GGUF files piece by piece, right or wrong, for tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nibble::tests {

class GgufBytes {
 public:
  GgufBytes() = default;
  GgufBytes(uint64_t n_tensors, uint64_t n_keys, uint32_t version = 3) {
    raw("GGUF").u32(version).u64(n_tensors).u64(n_keys);
  }
  GgufBytes& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  template <class T>
  GgufBytes& value(T v) {
    return raw({reinterpret_cast<const char*>(&v), sizeof v});
  }
  GgufBytes& u8(uint8_t v) { return value(v); }
  GgufBytes& u32(uint32_t v) { return value(v); }
  GgufBytes& u64(uint64_t v) { return value(v); }
  GgufBytes& text(std::string_view s) { return u64(s.size()).raw(s); }
  // A key and the number of its value's type; the value follows.
  GgufBytes& key(std::string_view name, uint32_t type) { return text(name).u32(type); }
  GgufBytes& key_u32(std::string_view name, uint32_t v) { return key(name, 4).u32(v); }
  GgufBytes& key_text(std::string_view name, std::string_view v) { return key(name, 8).text(v); }
  // An array's key, element type and count; the elements follow.
  GgufBytes& array(std::string_view name, uint32_t type, uint64_t n) {
    return key(name, 9).u32(type).u64(n);
  }
  // dims as in the file: fastest-varying first.
  GgufBytes& tensor(std::string_view name, const std::vector<uint64_t>& dims, uint32_t type,
                    uint64_t offset) {
    text(name).u32(static_cast<uint32_t>(dims.size()));
    for (const uint64_t d : dims) u64(d);
    return u32(type).u64(offset);
  }
  GgufBytes& pad(size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
    return *this;
  }
  GgufBytes& zeros(size_t n) {
    bytes_.append(n, '\0');
    return *this;
  }
  const std::string& str() const { return bytes_; }
  operator std::string() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace nibble::tests
