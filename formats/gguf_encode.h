// The bytes of GGUF's header, put one after another.
#pragma once

#include <bit>
#include <span>
#include <string>
#include <string_view>

#include "formats/gguf_header.h"
#include "formats/metadata.h"

namespace nibble::gguf {

static_assert(std::endian::native == std::endian::little);

class Encoder {
 public:
  Encoder& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  template <class T>
  Encoder& number(T value) {
    return raw({reinterpret_cast<const char*>(&value), sizeof value});
  }
  Encoder& text(std::string_view text) { return number(uint64_t{text.size()}).raw(text); }
  // The value, or for an array its element type, count and elements, follows.
  Encoder& key(std::string_view name, ValueType type) {
    return text(name).number(static_cast<uint32_t>(type));
  }
  // Key and value, byte for byte as the file had it that the entry was read from.
  Encoder& entry(const Metadata::Entry& entry);

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace nibble::gguf
