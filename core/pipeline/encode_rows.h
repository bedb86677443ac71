// Rows of weights in any format that can be written.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/format.h"

namespace nibble {

// Whether rows can be written in the format.
bool can_encode(const quant::Format& format);

// x: [n_rows, n_cols], n_cols a multiple of the format's block. importance: [n_cols], or nullptr
// where none is known; without meaning to formats that have nothing to search. out: n_rows *
// row_bytes(n_cols).
void encode_rows(const quant::Format& format, const float* x, int64_t n_rows, int64_t n_cols,
                 const float* importance, std::byte* out);

}  // namespace nibble
