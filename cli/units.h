// Numbers for readers.
#pragma once

#include <cstdint>
#include <string>

namespace nibble::cli {

std::string human_bytes(uint64_t n_bytes);  // "98.4 MB", powers of ten
std::string human_count(uint64_t n);        // "134.5 M"

}  // namespace nibble::cli
