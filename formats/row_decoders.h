// Decoders that more than one part of the program knows of; those of quantized weights stand with
// their scheme (formats/encodings). All read mapped files in place.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/tensor/row_decoder.h"
#include "formats/stored_type.h"

namespace nibble {

// A type without kernels (F64, FP8 without scales, integers): [.., n_cols].
class ElementDecoder final : public RowDecoder {
 public:
  ElementDecoder(const StoredType& type, const std::byte* data, int64_t n_cols)
      : type_(type), data_(data), n_cols_(n_cols) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;

 private:
  const StoredType& type_;
  const std::byte* data_;
  int64_t n_cols_;
};

// gpt-oss's MXFP4: rows of n_cols / 32 blocks of 16 bytes, the low half of each byte first, and one
// E8M0 scale a block.
class Mxfp4Decoder final : public RowDecoder {
 public:
  Mxfp4Decoder(const std::byte* blocks, const std::byte* scales, int64_t n_cols)
      : blocks_(blocks), scales_(scales), n_cols_(n_cols) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;
  // One row as GGUF's MXFP4 has it: the scale of each block before its codes, code i and code
  // i + 16 in one byte. out: n_cols / 32 * 17 bytes.
  void copy_gguf_row(int64_t row, std::byte* out) const;

 private:
  const std::byte* blocks_;
  const std::byte* scales_;
  int64_t n_cols_;
};

// A matrix in parts, joined along rows or columns; and, where d_head is set, each head's rows from
// rotary pairs (2j, 2j + 1) to halves (j, j + d_head / 2). Meta's checkpoints.
struct JoinedLayout {
  std::vector<const RawTensor*> parts;
  bool by_columns = false;
  int64_t d_head = 0;  // 0: rows as they stand
};
class JoinedDecoder final : public RowDecoder {
 public:
  explicit JoinedDecoder(JoinedLayout layout) : l_(std::move(layout)) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;

 private:
  int64_t source_row(int64_t row) const;
  JoinedLayout l_;
};

}  // namespace nibble
