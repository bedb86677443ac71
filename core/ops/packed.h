// What products of all sorts share: activations packed by kind, and ranges of weight rows
// multiplied with them. Internal to core/ops.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "core/ops/matmul.h"

namespace nibble {

using Kinds = std::array<bool, quant::kActivationKinds>;

// The kind of activations that products with w want.
quant::ActivationKind kind_of(const Matrix& w, Phase phase, bool exact);
size_t whole_tiles(int n_tokens);

// x [n_tokens, n_cols] in somebody else's memory, in the kinds that products want: in tiles for
// prompts, in rows for generation.
struct PackedX {
  std::byte* data[quant::kActivationKinds] = {};
  int n_cols = 0;

  // Bytes of data[kind], for x of at most max_tokens tokens and max_cols columns.
  static size_t bytes_needed(quant::ActivationKind kind, int max_tokens, int max_cols);
  const std::byte* tile(quant::ActivationKind kind, int i) const;
  const std::byte* row(quant::ActivationKind kind, int token) const;
  void pack_tile(const Kinds& kinds, int i, ConstRows x) const;  // x: at most kTileTokens tokens
  void pack_row(const Kinds& kinds, int token, const float* x) const;
};

// Rows [first, first + n_rows) of a weight matrix for products with n_tiles tiles: expanded once,
// or, for one tile alone, a few columns at a time, which are multiplied while they are in L1. Float
// weights are multiplied as they are, and others with few tokens where expanding takes longer.
class Panel {
 public:
  static constexpr int kMaxRows = 64;  // 4 groups of 16: resident in L2
  static_assert(kMaxRows <= quant::kGemmRows);
  static size_t bytes_needed(int max_cols);
  // At most this many rows of w in one panel.
  static int max_rows(const Matrix& w, quant::ActivationKind kind);

  // memory: of bytes_needed, 64-byte aligned.
  Panel(const Matrix& w, quant::ActivationKind kind, int first, int n_rows, int n_tiles,
        std::byte* memory);
  // out[t * out_stride + r], t < n_tokens, r < n_rows. Each of the n_tiles products asks for its
  // share of the bytes behind these rows, as many as they have: of the panel that comes next, most
  // likely, which then need not wait for memory.
  void multiply(const PackedX& x, int tile, int n_tokens, float* out, size_t out_stride);

 private:
  std::byte* group(int r) const { return memory_ + r / quant::kPanelRows * group_bytes_; }
  std::span<const std::byte> in_file(const std::byte* begin, size_t n_bytes) const;
  std::span<const std::byte> share_of_next();
  void prefetch(std::span<const std::byte> bytes) const;
  // Columns [at, at + part_cols(at)) of the group of rows from r on.
  void expand_part(int r, int at, std::byte* to) const;
  int part_cols(int at) const { return std::min(part_cols_, n_cols_ - at); }
  int group_rows(int r) const { return std::min(quant::kPanelRows, n_rows_ - r); }
  void multiply_floats(const std::byte* tokens, int n_tokens, float* out, size_t out_stride);

  const quant::Kernels& kernels_;
  const quant::ActivationKind kind_;
  const int n_rows_, n_cols_, n_tiles_;
  const bool decoded_;   // to f32
  const int part_cols_;  // columns expanded at once
  std::byte* const memory_;
  size_t group_bytes_ = 0;                            // of an expanded group
  const std::byte *rows_ = nullptr, *end_ = nullptr;  // in the file; the end of the matrix
  size_t row_bytes_ = 0;
  int n_shares_ = 0;  // asked for
};

// out[t, r] = w[first + r] . x[token + t] for at most quant::kRowTokens tokens. memory: of
// Panel::bytes_needed.
void multiply_rows(const Matrix& w, quant::ActivationKind kind, int first, const PackedX& x,
                   int token, std::byte* memory, Rows out);
// Rows of one generation task: runs of memory of about task_bytes, at most kMostTaskBytes.
int rows_per_task(const Matrix& w, size_t task_bytes);
inline constexpr size_t kMostTaskBytes = size_t{256} << 10;
inline constexpr int kMaxTaskRows = 512;

}  // namespace nibble
