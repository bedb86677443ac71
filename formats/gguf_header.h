// The header of one GGUF file, version 2 or 3: keys and tensor descriptors, checked against the
// file and borrowed from it. Source: ggml's docs/gguf.md; what the split keys mean is
// formats/gguf.h's matter.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/tensor_view.h"
#include "formats/metadata.h"

namespace nibble::gguf {

inline constexpr uint32_t kDefaultAlignment = 32;
// What a file may ask for at most; published files stay far below.
inline constexpr uint64_t kMaxFiles = 1024;  // of a split model
inline constexpr uint64_t kMaxKeys = 65'536;
inline constexpr uint64_t kMaxKeyLength = 65'535;
inline constexpr uint64_t kMaxTensors = 262'144;
inline constexpr uint64_t kMaxTensorName = 255;
inline constexpr uint64_t kMaxElements = uint64_t{1} << 23;  // of all arrays of one file together
inline constexpr uint64_t kMaxAlignment = uint64_t{1} << 20;

// A value's type as files number it.
enum class ValueType : uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
};
inline constexpr uint32_t kValueTypes = 13;

struct Header {
  uint32_t version = 0;
  uint64_t data_offset = 0;  // of the data section, from the start of the file
  uint64_t alignment = kDefaultAlignment;
  Metadata metadata;
  std::vector<TensorView> tensors;  // in the order of their descriptors
};

// file: the whole file, which must outlive the header. Fails with kCorrupt or kUnsupported.
Result<Header> read_header(std::span<const std::byte> file);

}  // namespace nibble::gguf
