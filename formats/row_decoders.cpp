#include "formats/row_decoders.h"

#include <algorithm>

namespace nibble {
namespace {

void decode_row(const RawTensor& t, int64_t row, float* out) {
  const int64_t n_cols = t.shape.n_cols();
  t.type->decode(t.bytes.data() + static_cast<size_t>(row * n_cols) * t.type->n_bytes(), n_cols,
                 out);
}

}  // namespace

void ElementDecoder::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  const size_t row_bytes = static_cast<size_t>(n_cols_) * type_.n_bytes();
  for (int64_t r = first; r < first + n; ++r, out += stride)
    type_.decode(data_ + static_cast<size_t>(r) * row_bytes, n_cols_, out);
}

void Mxfp4Decoder::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  static constexpr float kValues[] = {0,     0.5f,  1,  1.5f,  2,  3,  4,  6,
                                      -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
  static const StoredType& scale_type = *find_stored_type("F8_E8M0");
  const int64_t n_blocks = n_cols_ / 32;
  for (int64_t row = first; row < first + n; ++row, out += stride)
    for (int64_t b = 0; b < n_blocks; ++b) {
      const std::byte* block = blocks_ + (row * n_blocks + b) * 16;
      const float scale = scale_type.value(scales_ + row * n_blocks + b);
      for (int i = 0; i < 16; ++i) {
        const auto pair = static_cast<uint8_t>(block[i]);
        out[b * 32 + 2 * i] = kValues[pair & 15] * scale;
        out[b * 32 + 2 * i + 1] = kValues[pair >> 4] * scale;
      }
    }
}

void Mxfp4Decoder::copy_gguf_row(int64_t row, std::byte* out) const {
  const int64_t n_blocks = n_cols_ / 32;
  for (int64_t b = 0; b < n_blocks; ++b) {
    const std::byte* pairs = blocks_ + (row * n_blocks + b) * 16;
    const auto code = [&](int i) { return pairs[i / 2] >> (i % 2 * 4) & std::byte{15}; };
    *out++ = scales_[row * n_blocks + b];
    for (int i = 0; i < 16; ++i) *out++ = code(i) | code(i + 16) << 4;
  }
}

int64_t JoinedDecoder::source_row(int64_t row) const {
  if (!l_.d_head) return row;
  const int64_t half = l_.d_head / 2, head = row / l_.d_head, i = row % l_.d_head;
  return head * l_.d_head + (i < half ? 2 * i : 2 * (i - half) + 1);
}

void JoinedDecoder::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  for (int64_t r = first; r < first + n; ++r, out += stride) {
    int64_t row = source_row(r);
    if (l_.by_columns) {
      float* to = out;
      for (const RawTensor* part : l_.parts) {
        decode_row(*part, row, to);
        to += part->shape.n_cols();
      }
    } else {
      auto part = l_.parts.begin();
      for (; row >= (*part)->shape.n_rows(); ++part) row -= (*part)->shape.n_rows();
      decode_row(**part, row, out);
    }
  }
}

}  // namespace nibble
