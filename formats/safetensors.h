// Reads a .safetensors file: a length, a JSON header, and the tensors' bytes without a gap. Source:
// the format's README (huggingface/safetensors).
#pragma once

#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "formats/stored_type.h"

namespace nibble {

inline constexpr uint64_t kMaxSafetensorsHeader =
    100'000'000;  // bytes, as the format itself demands

// Whether a file that begins like this is one: a length below 2^48, whatever its first bytes, and
// the first letter of its JSON.
bool begins_safetensors(std::string_view head);

// file: the whole file, which must outlive the result. In order of their bytes.
Result<std::vector<RawTensor>> read_safetensors(std::span<const std::byte> file);

// A shape from sizes slowest first, with the leading ones taken together where there are more than
// kMaxDims. Fails (kCorrupt) where a size is negative or their product exceeds what any file could
// hold.
Result<Shape> checked_shape(std::string_view tensor, std::span<const int64_t> sizes);

}  // namespace nibble
