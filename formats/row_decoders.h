// The decoders of what checkpoints store otherwise than as rows of one quant::Format. All read
// mapped files in place; values are code times scale, one product in f32. Layouts: the papers' and
// libraries' own, each named at its class.
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

// Codes [n_matrices * n_rows, n_cols] with one scale for each block of block_rows x block_cols; the
// last block of a row or column of blocks may be smaller. FP8 as DeepSeek V3, Qwen 3 and
// compressed-tensors store it.
struct ScaledLayout {
  const StoredType* type = nullptr;
  const std::byte* codes = nullptr;
  int64_t n_rows = 0, n_cols = 0;  // of one matrix
  const StoredType* scale_type = nullptr;
  const std::byte* scales =
      nullptr;  // [n_matrices, ceil(n_rows / block_rows), ceil(n_cols / block_cols)]
  int64_t block_rows = 1, block_cols = 1;
};
class ScaledDecoder final : public RowDecoder {
 public:
  explicit ScaledDecoder(const ScaledLayout& layout);
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;

 private:
  ScaledLayout l_;
  int64_t scale_rows_, scale_cols_;
};

// Codes of a few bits in words of 32, for a matrix [n_rows, n_cols] that is stored transposed.
// w = scale[g, row] * (code - zero[g, row]), g the group of the column.
struct PackedLayout {
  int bits = 4;
  int64_t n_rows = 0, n_cols = 0;
  const std::byte* codes = nullptr;
  const std::byte* zeros = nullptr;  // words [n_groups, n_rows * bits / 32]
  const StoredType* scale_type = nullptr;
  const std::byte* scales = nullptr;  // [n_groups, n_rows]
  int64_t group_size = 0;
  const std::byte* group_of = nullptr;  // i32 [n_cols], checked; null: column / group_size
  int zero_offset = 0;                  // added to what zeros holds
};
// AutoGPTQ: words [n_cols * bits / 32, n_rows], codes along the columns, lowest bits first; a code
// of three bits may stand in two words.
class GptqDecoder final : public RowDecoder {
 public:
  explicit GptqDecoder(const PackedLayout& layout) : l_(layout) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;

 private:
  PackedLayout l_;
};
// AutoAWQ's GEMM layout: words [n_cols, n_rows / 8], eight rows in a word in the order 0 2 4 6 1 3
// 5 7.
class AwqDecoder final : public RowDecoder {
 public:
  explicit AwqDecoder(const PackedLayout& layout) : l_(layout) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;

 private:
  PackedLayout l_;
};

// compressed-tensors' pack-quantized: words [n_rows, n_cols / per_word] of per_word = 32 / bits
// codes along the columns, lowest bits first; w = scale[row, g] * (code - zero[row, g]).
struct RowPackedLayout {
  int bits = 4;
  int64_t n_rows = 0, n_cols = 0;
  const std::byte* codes = nullptr;
  const std::byte* zeros = nullptr;  // words [ceil(n_rows / per_word), n_groups]; null: half range
  const StoredType* scale_type = nullptr;
  const std::byte* scales = nullptr;  // [n_rows, n_groups]
  int64_t group_size = 0, n_groups = 0;
  const std::byte* group_of = nullptr;  // i32 [n_cols], checked; null: column / group_size
};
class RowPackedDecoder final : public RowDecoder {
 public:
  explicit RowPackedDecoder(const RowPackedLayout& layout) : l_(layout) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;

 private:
  RowPackedLayout l_;
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
