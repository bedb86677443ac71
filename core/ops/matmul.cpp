#include "core/ops/matmul.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/assert.h"
#include "core/ops/dense.h"
#include "core/ops/kernels/kernels.h"

namespace nibble {
namespace {

using quant::ActivationKind;
using quant::kPanelRows;
using quant::kTileTokens;

constexpr int kTaskPanels = 4;  // panels of one prompt task: 64 rows, resident in L2
constexpr int kTaskRows = kTaskPanels * kPanelRows;
constexpr size_t kTaskBytes = size_t{64} << 10;  // of weights, at least, in one generation task
constexpr int kMaxTaskRows = 512;

size_t whole_tiles(int n_tokens) {
  return (static_cast<size_t>(n_tokens) + kTileTokens - 1) / kTileTokens;
}

// Scratch is sized for whole blocks of any format.
int whole_blocks(int n_cols) { return (n_cols + 255) / 256 * 256; }

// A token tile of one kind of activation. Dense: f32 rows.
size_t tile_bytes(ActivationKind kind, int n_cols) {
  if (kind == ActivationKind::kF32)
    return dense::kTile * dense::padded_cols(n_cols) * sizeof(float);
  return Arena::aligned(quant::activation_kernels(kind).tile_bytes(n_cols));
}

// Of x as one kind: in tiles or in rows, whichever needs more.
size_t packed_bytes(ActivationKind kind, int max_tokens, int max_cols) {
  const size_t tiles = whole_tiles(max_tokens) * tile_bytes(kind, max_cols);
  if (kind == ActivationKind::kF32) return tiles;
  return std::max(tiles,
                  max_tokens * Arena::aligned(quant::activation_kernels(kind).row_bytes(max_cols)));
}

size_t largest_panel_bytes(int n_cols) {
  size_t most = dense::kTile * dense::padded_cols(n_cols) * sizeof(float);
  for (const quant::Format* format : quant::formats()) {
    const quant::Kernels& k = quant::kernels(*format);
    if (k.panel_bytes) most = std::max(most, kTaskPanels * Arena::aligned(k.panel_bytes(n_cols)));
  }
  return Arena::aligned(most);
}

size_t x_rows_bytes(int n_cols) { return kTileTokens * dense::padded_cols(n_cols) * sizeof(float); }

ActivationKind kind_of(const Matrix& w, const MatmulContext& context) {
  if (w.decoder) return ActivationKind::kF32;
  const quant::Kernels& k = quant::kernels(*w.format);
  const bool has_kernels =
      context.phase == Phase::kPrompt ? k.multiply_panel != nullptr : k.gemv != nullptr;
  return context.exact || !has_kernels ? ActivationKind::kF32 : w.format->activation;
}

// Sums of n rows from `row` on become outputs of one token.
void finish(const kernels::OpsKernels& ops, const Product& product, int token, int row,
            const float* sums, int n) {
  ops.add_rows(sums, product.bias ? product.bias + row : nullptr, product.out.row(token) + row, n,
               product.add);
}

bool takes_bare_sums(const Product& product) { return !product.bias && !product.add; }

// Rows of w -> out [dense::kTile, padded_cols], the rest zeros.
void expand_tile(const Matrix& w, int first, int n_rows, float* out) {
  if (!w.decoder)
    return dense::expand(quant::kernels(*w.format), w.data + first * w.row_bytes(), w.row_bytes(),
                         n_rows, w.n_cols, out);
  const size_t padded = dense::padded_cols(w.n_cols);
  if (w.row_step == 1) w.decoder->decode(w.first_row + first, n_rows, out, padded);
  for (int r = 0; r < n_rows && w.row_step != 1; ++r) w.decode(first + r, out + r * padded);
  for (int r = 0; r < dense::kTile; ++r)
    std::fill(out + r * padded + (r < n_rows ? w.n_cols : 0), out + (r + 1) * padded, 0.0f);
}

}  // namespace

void Matrix::decode(int r, float* out) const {
  if (decoder)
    decoder->decode(first_row + int64_t{r} * row_step, 1, out, static_cast<size_t>(n_cols));
  else
    quant::kernels(*format).dequantize(data + static_cast<size_t>(r) * row_bytes(), n_cols, out);
}

Matrix Matrix::rows(int first, int n) const {
  Matrix part = *this;
  part.n_rows = n;
  if (decoder)
    part.first_row += int64_t{first} * row_step;
  else
    part.data += static_cast<size_t>(first) * row_bytes();
  return part;
}

size_t MatmulScratch::bytes_needed(int max_tokens, int max_cols, int n_threads) {
  max_cols = whole_blocks(max_cols);
  size_t n = 0;
  for (int kind = 0; kind < quant::kActivationKinds; ++kind)
    n += Arena::aligned(packed_bytes(ActivationKind(kind), max_tokens, max_cols));
  return n + n_threads * (x_rows_bytes(max_cols) + largest_panel_bytes(max_cols));
}

MatmulScratch::MatmulScratch(Arena& arena, int max_tokens, int max_cols, int n_threads)
    : own_bytes_(x_rows_bytes(whole_blocks(max_cols)) +
                 largest_panel_bytes(whole_blocks(max_cols))),
      max_tokens_(max_tokens),
      max_cols_(whole_blocks(max_cols)),
      n_threads_(n_threads) {
  for (int kind = 0; kind < quant::kActivationKinds; ++kind)
    packed_[kind] = arena.take_bytes(packed_bytes(ActivationKind(kind), max_tokens, max_cols_));
  own_ = arena.take_bytes(n_threads * own_bytes_);
}

// One call of matmul().
class MatmulRun {
 public:
  MatmulRun(const MatmulContext& context, int n_tokens, int n_cols,
            std::span<const Product> products)
      : context_(context),
        scratch_(context.scratch),
        n_tokens_(n_tokens),
        n_cols_(n_cols),
        products_(products) {
    NIBBLE_ASSERT(n_tokens <= scratch_.max_tokens_ && n_cols <= scratch_.max_cols_);
    NIBBLE_ASSERT(context.pool.size() <= scratch_.n_threads_);
    for (const Product& p : products) {
      NIBBLE_ASSERT(p.w->n_cols == n_cols && p.out.cols == p.w->n_rows && p.out.rows == n_tokens);
      wanted_[static_cast<int>(kind_of(*p.w, context))] = true;
    }
  }

  // x is written by source, or, where it is made already, stands in rows.
  void operator()(RowSource source, const ConstRows* rows = nullptr) {
    made_ = rows;
    const bool prompt = context_.phase == Phase::kPrompt;
    const auto pack = [&](int i, int thread) {
      prompt ? pack_tile(source, i, thread) : pack_token(source, i, thread);
    };
    context_.pool.run(prompt ? static_cast<int>(whole_tiles(n_tokens_)) : n_tokens_, pack);
    int n_tasks = 0;
    for (const Product& p : products_) n_tasks += n_tasks_of(p);
    context_.pool.run_ranges(n_tasks, [&](int i, int thread) {
      const Product* p = products_.data();
      for (; i >= n_tasks_of(*p); ++p) i -= n_tasks_of(*p);
      const int first = i * rows_per_task(*p),
                n_rows = std::min(rows_per_task(*p), p->w->n_rows - first);
      multiply(*p, first, n_rows, thread);
    });
  }

 private:
  bool wants(ActivationKind kind) const { return wanted_[static_cast<int>(kind)]; }
  float* x_rows(int thread) const {
    return reinterpret_cast<float*>(scratch_.own_ + thread * scratch_.own_bytes_);
  }
  std::byte* panels(int thread) const {
    return scratch_.own_ + thread * scratch_.own_bytes_ + x_rows_bytes(scratch_.max_cols_);
  }
  std::byte* tile(ActivationKind kind, size_t i) const {
    return scratch_.packed_[static_cast<int>(kind)] + i * tile_bytes(kind, n_cols_);
  }
  float* dense_row(int token) const {
    return reinterpret_cast<float*>(tile(ActivationKind::kF32, 0)) +
           token * dense::padded_cols(n_cols_);
  }
  std::byte* packed_row(ActivationKind kind, int token) const {
    return scratch_.packed_[static_cast<int>(kind)] +
           token * Arena::aligned(quant::activation_kernels(kind).row_bytes(n_cols_));
  }

  template <class Pack>
  void for_integer_kinds(Pack pack) const {
    for (const ActivationKind kind : {ActivationKind::kQ8x32, ActivationKind::kQ8x256})
      if (wants(kind)) pack(kind, quant::activation_kernels(kind));
  }

  // f32 rows [first, first + n) of x, and their stride; written here unless they are made.
  ConstRows f32_rows(RowSource source, int first, int n, int thread) const {
    const bool dense = wants(ActivationKind::kF32);
    if (made_ && !dense) return {made_->row(first), n, n_cols_, made_->stride};
    const Rows rows{dense ? dense_row(first) : x_rows(thread), n, n_cols_,
                    dense::padded_cols(n_cols_)};
    for (int t = 0; t < n; ++t) source(first + t, rows.row(t));
    return rows;
  }
  // Dense products see zeros behind the last column and the last token.
  void pad(int first, int n, int n_padded) const {
    if (!wants(ActivationKind::kF32)) return;
    for (int t = first; t < first + n_padded; ++t)
      std::fill(dense_row(t) + (t < first + n ? n_cols_ : 0), dense_row(t + 1), 0.0f);
  }

  void pack_tile(RowSource source, int i, int thread) const {
    const int first = i * kTileTokens, n = std::min(kTileTokens, n_tokens_ - first);
    const ConstRows x = f32_rows(source, first, n, thread);
    pad(first, n, kTileTokens);
    for_integer_kinds([&](ActivationKind kind, const quant::ActivationKernels& k) {
      k.pack_tile(x.data, x.stride, n, n_cols_, tile(kind, i));
    });
  }

  void pack_token(RowSource source, int t, int thread) const {
    const ConstRows x = f32_rows(source, t, 1, thread);
    pad(t, 1, 1);
    for_integer_kinds([&](ActivationKind kind, const quant::ActivationKernels& k) {
      k.pack_row(x.data, n_cols_, packed_row(kind, t));
    });
  }

  int rows_per_task(const Product& p) const {
    if (context_.phase == Phase::kPrompt) return kTaskRows;
    const size_t rows = (kTaskBytes / p.w->row_bytes() + 4) / 4 * 4;
    return static_cast<int>(std::min<size_t>(rows, kMaxTaskRows));
  }
  int n_tasks_of(const Product& p) const {
    return (p.w->n_rows + rows_per_task(p) - 1) / rows_per_task(p);
  }

  void multiply(const Product& p, int first, int n_rows, int thread) const {
    const ActivationKind kind = kind_of(*p.w, context_);
    const bool dense = kind == ActivationKind::kF32;
    if (context_.phase == Phase::kPrompt)
      dense ? dense_panels(p, first, n_rows, thread)
            : integer_panels(p, kind, first, n_rows, thread);
    else
      dense ? dense_rows(p, first, n_rows, thread) : integer_rows(p, kind, first, n_rows);
  }

  void integer_panels(const Product& p, ActivationKind kind, int first, int n_rows,
                      int thread) const {
    const quant::Kernels& k = quant::kernels(*p.w->format);
    const size_t row_bytes = p.w->row_bytes(), panel_bytes = Arena::aligned(k.panel_bytes(n_cols_));
    for (int r = 0; r < n_rows; r += kPanelRows)
      k.expand_panel(p.w->data + (first + r) * row_bytes, row_bytes,
                     std::min(kPanelRows, n_rows - r), n_cols_,
                     panels(thread) + r / kPanelRows * panel_bytes);
    const bool bare = takes_bare_sums(p);
    alignas(64) float sums[kTileTokens * kTaskRows];
    for (int t = 0; t < n_tokens_; t += kTileTokens) {
      const int n = std::min(kTileTokens, n_tokens_ - t);
      const std::byte* x = tile(kind, t / kTileTokens);
      for (int r = 0; r < n_rows; r += kPanelRows)
        k.multiply_panel(panels(thread) + r / kPanelRows * panel_bytes,
                         std::min(kPanelRows, n_rows - r), n_cols_, x, n,
                         bare ? p.out.row(t) + first + r : sums + r,
                         bare ? p.out.stride : size_t{kTaskRows});
      for (int i = 0; i < n && !bare; ++i)
        finish(ops_, p, t + i, first, sums + i * kTaskRows, n_rows);
    }
  }

  void integer_rows(const Product& p, ActivationKind kind, int first, int n_rows) const {
    const quant::Kernels& k = quant::kernels(*p.w->format);
    const bool bare = takes_bare_sums(p);
    alignas(64) float sums[kMaxTaskRows];
    for (int t = 0; t < n_tokens_; ++t) {
      k.gemv(p.w->data + first * p.w->row_bytes(), p.w->row_bytes(), n_rows, n_cols_,
             packed_row(kind, t), bare ? p.out.row(t) + first : sums);
      if (!bare) finish(ops_, p, t, first, sums, n_rows);
    }
  }

  void dense_panels(const Product& p, int first, int n_rows, int thread) const {
    float* w = reinterpret_cast<float*>(panels(thread));
    alignas(64) float sums[dense::kTile * dense::kTile];
    for (int r = 0; r < n_rows; r += dense::kTile) {
      const int m = std::min(dense::kTile, n_rows - r);
      expand_tile(*p.w, first + r, m, w);
      for (int t = 0; t < n_tokens_; t += dense::kTile) {
        dense::multiply_tile(w, dense_row(t), dense::padded_cols(n_cols_), sums);
        for (int i = 0; i < std::min(dense::kTile, n_tokens_ - t); ++i)
          finish(ops_, p, t + i, first + r, sums + i * dense::kTile, m);
      }
    }
  }

  void dense_rows(const Product& p, int first, int n_rows, int thread) const {
    const size_t padded = dense::padded_cols(n_cols_);
    float* w = reinterpret_cast<float*>(panels(thread));
    std::fill(w + n_cols_, w + padded, 0.0f);
    for (int r = first; r < first + n_rows; ++r) {
      p.w->decode(r, w);
      for (int t = 0; t < n_tokens_; ++t) {
        const float sum = dense::dot(w, dense_row(t), padded);
        finish(ops_, p, t, r, &sum, 1);
      }
    }
  }

  const MatmulContext& context_;
  MatmulScratch& scratch_;
  const int n_tokens_;
  const int n_cols_;
  const std::span<const Product> products_;
  const kernels::OpsKernels& ops_ = kernels::ops_kernels();
  const ConstRows* made_ = nullptr;
  std::array<bool, quant::kActivationKinds> wanted_{};
};

void matmul(const MatmulContext& context, int n_tokens, int n_cols, RowSource x,
            std::span<const Product> products) {
  if (n_tokens > 0) MatmulRun(context, n_tokens, n_cols, products)(x);
}

void matmul(const MatmulContext& context, ConstRows x, std::span<const Product> products) {
  const auto copy = [&](int token, float* row) {
    std::memcpy(row, x.row(token), sizeof(float) * x.cols);
  };
  if (x.rows > 0) MatmulRun(context, x.rows, x.cols, products)(copy, &x);
}

}  // namespace nibble
