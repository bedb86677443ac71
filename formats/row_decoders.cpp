#include "formats/row_decoders.h"

#include <algorithm>

#include "core/base/byte_cursor.h"

namespace nibble {
namespace {

uint32_t word(const std::byte* words, int64_t i) { return load_le<uint32_t>(words + 4 * i); }

void decode_row(const RawTensor& t, int64_t row, float* out) {
  const int64_t n_cols = t.shape.n_cols();
  t.type->decode(t.bytes.data() + static_cast<size_t>(row * n_cols) * t.type->n_bytes(), n_cols,
                 out);
}

// Scale and zero of one row in one group.
struct Affine {
  float scale = 0;
  int zero = 0;
  float operator()(uint32_t code) const {
    return scale * static_cast<float>(static_cast<int>(code) - zero);
  }
};

// Code i of a stream of codes in words that stand `stride` apart.
uint32_t stream_code(const std::byte* words, int64_t stride, int bits, int64_t i) {
  const int64_t bit = i * bits, at = bit / 32 * stride;
  const int shift = static_cast<int>(bit % 32);
  uint32_t code = word(words, at) >> shift;
  if (shift + bits > 32) code |= word(words, at + stride) << (32 - shift);
  return code & ((1u << bits) - 1);
}

float scale_at(const StoredType& type, const std::byte* scales, int64_t i) {
  return type.value(scales + static_cast<size_t>(i) * type.n_bytes());
}

Affine affine_of(const PackedLayout& l, int64_t group, int64_t row, uint32_t zero) {
  return {scale_at(*l.scale_type, l.scales, group * l.n_rows + row),
          static_cast<int>(zero) + l.zero_offset};
}

int64_t group_of(const auto& layout, int64_t column) {
  return layout.group_of ? load_le<int32_t>(layout.group_of + 4 * column)
                         : column / layout.group_size;
}

}  // namespace

void ElementDecoder::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  const size_t row_bytes = static_cast<size_t>(n_cols_) * type_.n_bytes();
  for (int64_t r = first; r < first + n; ++r, out += stride)
    type_.decode(data_ + static_cast<size_t>(r) * row_bytes, n_cols_, out);
}

ScaledDecoder::ScaledDecoder(const ScaledLayout& layout)
    : l_(layout),
      scale_rows_((l_.n_rows + l_.block_rows - 1) / l_.block_rows),
      scale_cols_((l_.n_cols + l_.block_cols - 1) / l_.block_cols) {}

void ScaledDecoder::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  const size_t row_bytes = static_cast<size_t>(l_.n_cols) * l_.type->n_bytes();
  for (int64_t r = first; r < first + n; ++r, out += stride) {
    l_.type->decode(l_.codes + static_cast<size_t>(r) * row_bytes, l_.n_cols, out);
    const int64_t scale_row = r / l_.n_rows * scale_rows_ + r % l_.n_rows / l_.block_rows;
    for (int64_t b = 0; b < scale_cols_; ++b) {
      const auto at = static_cast<size_t>(scale_row * scale_cols_ + b) * l_.scale_type->n_bytes();
      const float scale = l_.scale_type->value(l_.scales + at);
      const int64_t end = std::min(l_.n_cols, (b + 1) * l_.block_cols);
      for (int64_t c = b * l_.block_cols; c < end; ++c) out[c] *= scale;
    }
  }
}

void GptqDecoder::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  const int64_t zero_words = l_.n_rows * l_.bits / 32;  // of a group
  for (int64_t row = first; row < first + n; ++row, out += stride) {
    int64_t group = -1;
    Affine affine;
    for (int64_t c = 0; c < l_.n_cols; ++c) {
      if (const int64_t g = group_of(l_, c); g != group) {
        group = g;
        affine = affine_of(l_, g, row, stream_code(l_.zeros + 4 * g * zero_words, 1, l_.bits, row));
      }
      out[c] = affine(stream_code(l_.codes + 4 * row, l_.n_rows, l_.bits, c));
    }
  }
}

void AwqDecoder::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  static constexpr int kNibble[] = {0, 4, 1, 5, 2, 6, 3, 7};  // of row 8 c + i in word c
  const int64_t words_per_column = l_.n_rows / 8;
  for (int64_t row = first; row < first + n; ++row, out += stride) {
    const int shift = 4 * kNibble[row % 8];
    Affine affine;
    for (int64_t c = 0; c < l_.n_cols; ++c) {
      if (c % l_.group_size == 0) {
        const int64_t group = c / l_.group_size;
        const uint32_t zeros = word(l_.zeros, group * words_per_column + row / 8);
        affine = affine_of(l_, group, row, zeros >> shift & 15);
      }
      out[c] = affine(word(l_.codes, c * words_per_column + row / 8) >> shift & 15);
    }
  }
}

void RowPackedDecoder::decode(int64_t first, int64_t n, float* out, size_t stride) const {
  const int per_word = 32 / l_.bits;
  const uint32_t mask = (1u << l_.bits) - 1;
  const int64_t words_per_row = l_.n_cols / per_word;
  const auto affine_of = [&](int64_t group, int64_t row) {
    const int shift = static_cast<int>(row % per_word) * l_.bits;
    const uint32_t zero = l_.zeros
                              ? word(l_.zeros, row / per_word * l_.n_groups + group) >> shift & mask
                              : 1u << (l_.bits - 1);
    return Affine{scale_at(*l_.scale_type, l_.scales, row * l_.n_groups + group),
                  static_cast<int>(zero)};
  };
  for (int64_t row = first; row < first + n; ++row, out += stride) {
    int64_t group = -1;
    Affine affine;
    for (int64_t c = 0; c < l_.n_cols; ++c) {
      if (const int64_t g = group_of(l_, c); g != group) affine = affine_of(group = g, row);
      const uint32_t codes = word(l_.codes, row * words_per_row + c / per_word);
      out[c] = affine(codes >> c % per_word * l_.bits & mask);
    }
  }
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
