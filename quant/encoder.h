// Encoders: choose the codes of blocks for the least weighted error. What they write does not
// depend on the instruction set, nor on how rows are grouped into calls.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/format.h"

namespace nibble::quant {

struct Encoder {
  uint32_t gguf_type;
  // x [n_rows, n_cols], finite -> blocks, rows one after another; n_cols is a multiple of the
  // format's block_len. importance [n_cols]: mean squares of what each column is multiplied with,
  // positive; or null, none known.
  void (*encode)(const float* x, int64_t n_rows, int64_t n_cols, const float* importance,
                 std::byte* blocks);
  // Whether blocks are poor without importance: these formats are refused then.
  bool needs_importance = false;
};

// The encoder for the instruction set in use; nullptr: the format has none.
const Encoder* find_encoder(const Format& format);

}  // namespace nibble::quant
