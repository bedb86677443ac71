// How a KV cache holds the numbers of one position: as floats of three kinds, or in the blocks of
// GGUF's Q8_0 and Q4_0. A row (one head's key or value) is whole blocks; the last one is filled up
// with zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/error.h"

namespace nibble {

enum class KvFormat : uint8_t { kF32, kF16, kBf16, kQ8_0, kQ4_0 };
inline constexpr int kKvFormats = 5;

// Bytes of a row of `width` numbers.
size_t kv_row_bytes(KvFormat format, int width);
std::string_view kv_format_name(KvFormat format);

struct KvTypes {
  KvFormat keys = KvFormat::kF16;
  KvFormat values = KvFormat::kF16;
};

// "q8_0", or keys and values apart: "q8_0,f16". Fails (kUsage) with the names that there are.
Result<KvTypes> parse_kv_types(std::string_view text);

}  // namespace nibble
