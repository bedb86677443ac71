// Rows of GGUF tensors that stand otherwise in a folder: several tensors stacked, rows in another
// order, columns for rows. They are made when they are asked for, from the mapped files.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/models/row_order.h"
#include "core/ops/matmul.h"
#include "core/tensor/row_decoder.h"
#include "core/tensor/tensor_view.h"

namespace nibble {

// Rows that can be had in the format of the tensor as well as in f32.
class StoredRows : public RowDecoder {
 public:
  // Whether copy() gives rows; otherwise what decode() gives is to be encoded.
  virtual bool copies() const = 0;
  // Rows [first, first + n), byte for byte as the format has them.
  virtual void copy(int64_t first, int64_t n, std::byte* out) const = 0;
};

// The matrices of a tensor, all of one size, one after another.
class OrderedRows final : public StoredRows {
 public:
  // format: what copy() writes; rows of another one are not copied.
  OrderedRows(std::vector<Matrix> parts, RowOrder order, const quant::Format& format);
  bool copies() const override { return copies_; }
  void copy(int64_t first, int64_t n, std::byte* out) const override;
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;

 private:
  // The longest run of stored rows that begins at a row: the matrix, its first row, their number.
  struct Run {
    const Matrix* part;
    int64_t first, n;
  };
  Run run_at(int64_t row, int64_t most) const;

  std::vector<Matrix> parts_;
  RowOrder order_;
  const quant::Format& format_;
  bool copies_;
};

// The key part of latent attention: for each head the rows [kv_lora, d_nope] that are the columns
// of its first d_nope rows in kv_b [n_head * (d_nope + d_v), kv_lora].
class KeyPartRows final : public StoredRows {
 public:
  KeyPartRows(const TensorView& kv_b, int64_t d_nope, int64_t d_v)
      : kv_b_(kv_b), d_nope_(d_nope), d_v_(d_v) {}
  bool copies() const override { return false; }
  void copy(int64_t, int64_t, std::byte*) const override {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override;

 private:
  const TensorView& kv_b_;
  int64_t d_nope_, d_v_;
};

}  // namespace nibble
