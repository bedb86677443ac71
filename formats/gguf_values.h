// One key of a GGUF header with its value: numbers, texts, or an array of either.
#pragma once

#include "core/base/byte_cursor.h"
#include "formats/metadata.h"

namespace nibble::gguf {

// Reads a key, its type and its value into metadata. n_elements counts those of all arrays so far.
Result<void> read_key(ByteCursor& in, Metadata& metadata, uint64_t& n_elements);

}  // namespace nibble::gguf
