#include "core/pipeline/encode_rows.h"

#include "quant/encoder.h"

namespace nibble {

bool can_encode(const quant::Format& format) {
  return quant::find_encoder(format) || quant::kernels(format).quantize;
}

void encode_rows(const quant::Format& format, const float* x, int64_t n_rows, int64_t n_cols,
                 const float* importance, std::byte* out) {
  if (const auto* encoder = quant::find_encoder(format))
    encoder->encode(x, n_rows, n_cols, importance, out);
  else
    quant::kernels(format).quantize(x, n_rows * n_cols, out);
}

}  // namespace nibble
