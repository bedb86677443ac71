// Products of activations with weight matrices of any format: out[t, r] = sum_c W[r, c] * x[t, c]
// (+ bias[r]). Prompt tokens go through the panel kernels, those of float weights through the float
// kernels, whatever their number, generated ones through the row kernels; formats without any, and
// everything in exact mode, through f32 products with decoded rows (core/ops/dense.h). In each the
// order of summation of one output depends on n_cols alone: not on tokens, threads or other rows.
#pragma once

#include <cstddef>
#include <span>

#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "core/tensor/arena.h"
#include "core/tensor/row_decoder.h"
#include "core/tensor/rows.h"
#include "quant/format.h"

namespace nibble {

struct LowRank;  // core/ops/low_rank.h

// A weight matrix [n_rows, n_cols] in the file's own bytes, rows without gaps; or, where decoder is
// set, its rows first_row + r * row_step (data then is not null and not read).
struct Matrix {
  const quant::Format* format = nullptr;
  const std::byte* data = nullptr;
  int n_rows = 0;
  int n_cols = 0;
  const RowDecoder* decoder = nullptr;
  int64_t first_row = 0;
  int row_step = 1;
  // What an adapter adds to products with this matrix: row r's is low_rank's low_rank_row + r. Rows
  // as decode() gives them are without it.
  const LowRank* low_rank = nullptr;
  int low_rank_row = 0;

  size_t row_bytes() const { return format->row_bytes(n_cols); }
  // Row r as f32.
  void decode(int r, float* out) const;
  Matrix rows(int first, int n) const;  // [n, n_cols]
  explicit operator bool() const { return data != nullptr; }
};

enum class Phase { kPrompt, kGeneration };

// One of several products that read the same x.
struct Product {
  const Matrix* w = nullptr;
  const float* bias = nullptr;  // [n_rows] or null
  Rows out;                     // [n_tokens, n_rows]
  bool add = false;             // out += instead of out =: a residual
};

// The scratch that products need, for x of at most max_tokens tokens and max_cols columns; carved
// from an arena.
class MatmulScratch {
 public:
  static size_t bytes_needed(int max_tokens, int max_cols, int n_threads);
  MatmulScratch(Arena& arena, int max_tokens, int max_cols, int n_threads);

  // One thread's own memory: rows of x for one tile, and a panel of weights.
  float* x_rows(int thread) const;
  std::byte* panel(int thread) const;

 private:
  friend class MatmulRun;
  std::byte* packed_[quant::kActivationKinds] = {};  // of the whole x
  std::byte* own_ = nullptr;  // own_bytes_ for each thread: rows of x, a panel
  size_t own_bytes_ = 0;
  int max_tokens_ = 0;
  int max_cols_ = 0;
  int n_threads_ = 0;
};

inline constexpr auto kAlways = [] { return true; };

struct MatmulContext {
  ThreadPool& pool;
  MatmulScratch& scratch;
  Phase phase = Phase::kPrompt;
  bool exact = false;
  // Whether to go on: asked about every 10 ms of a prompt's products, by the calling thread.
  FunctionRef<bool()> go_on = kAlways;
};

// Writes row t of x: a norm, or an activation of gate and up, fused into the packing. Called once
// for each t, by any thread.
using RowSource = FunctionRef<void(int token, float* x)>;

// All products of x [n_tokens, n_cols]; x is made once and packed once for each kind that the
// formats want. false: go_on said no, and out is not complete.
bool matmul(const MatmulContext& context, int n_tokens, int n_cols, RowSource x,
            std::span<const Product> products);
// The same for an x that stands in memory.
bool matmul(const MatmulContext& context, ConstRows x, std::span<const Product> products);

}  // namespace nibble
