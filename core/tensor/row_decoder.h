// Rows of a tensor that no single run of bytes holds in the layout of a quant::Format: codes and
// scales in separate tensors, parts in several files, rows in another order. Whoever opens the file
// makes these; they read it in place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nibble {

class RowDecoder {
 public:
  virtual ~RowDecoder() = default;
  // Rows [first, first + n) as f32 at out, out + stride, ... (in floats). Each value is code times
  // scale, rounded once. Rows are counted over all leading dimensions. Any thread may call; nothing
  // is allocated; nothing fails.
  virtual void decode(int64_t first, int64_t n, float* out, size_t stride) const = 0;
};

}  // namespace nibble
