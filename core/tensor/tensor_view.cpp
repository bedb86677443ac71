#include "core/tensor/tensor_view.h"

namespace nibble {

void decode_rows(const TensorView& t, int64_t first, int64_t n, float* out) {
  const int64_t n_cols = t.shape.n_cols();
  if (t.decoder) return t.decoder->decode(first, n, out, static_cast<size_t>(n_cols));
  const std::byte* row = t.bytes.data() + static_cast<size_t>(first) * t.row_bytes();
  quant::kernels(*t.format).dequantize(row, n * n_cols, out);
}

}  // namespace nibble
