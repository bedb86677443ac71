// Sizes in bytes as people write them.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"

namespace nibble::cli {

// "6GiB", "500M", "1.5gb", "4096": powers of 1000, with an i of 1024. Fails with kUsage, naming the
// option.
Result<uint64_t> parse_bytes(std::string_view option, std::string_view text);

}  // namespace nibble::cli
