#include "core/ops/matmul.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "core/base/assert.h"
#include "core/ops/kernels/kernels.h"
#include "core/ops/packed.h"

namespace nibble {
namespace {

using quant::ActivationKind;
using quant::kTileTokens;

// Multiplications of one thread between two questions whether to go on: some 10 ms.
constexpr int64_t kMacsBetween = int64_t{1} << 30;
// Tasks of each thread, at least, where the weights are few.
constexpr int kTasksPerThread = 8;
constexpr size_t kFewBytes = size_t{64} << 10;  // one task: another thread would not pay

// A thread's own memory: kTileTokens rows of x, then a panel.
size_t x_rows_bytes(int max_cols) { return Arena::aligned(kTileTokens * sizeof(float) * max_cols); }

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
  part.low_rank_row += first;
  if (decoder)
    part.first_row += int64_t{first} * row_step;
  else
    part.data += static_cast<size_t>(first) * row_bytes();
  return part;
}

size_t MatmulScratch::bytes_needed(int max_tokens, int max_cols, int n_threads) {
  size_t n = 0;
  for (int kind = 0; kind < quant::kActivationKinds; ++kind)
    n += Arena::aligned(PackedX::bytes_needed(ActivationKind(kind), max_tokens, max_cols));
  return n + n_threads * (x_rows_bytes(max_cols) + Panel::bytes_needed(max_cols));
}

MatmulScratch::MatmulScratch(Arena& arena, int max_tokens, int max_cols, int n_threads)
    : own_bytes_(x_rows_bytes(max_cols) + Panel::bytes_needed(max_cols)),
      max_tokens_(max_tokens),
      max_cols_(max_cols),
      n_threads_(n_threads) {
  for (int kind = 0; kind < quant::kActivationKinds; ++kind)
    packed_[kind] =
        arena.take_bytes(PackedX::bytes_needed(ActivationKind(kind), max_tokens, max_cols));
  own_ = arena.take_bytes(n_threads * own_bytes_);
}

float* MatmulScratch::x_rows(int thread) const {
  return reinterpret_cast<float*>(own_ + thread * own_bytes_);
}
std::byte* MatmulScratch::panel(int thread) const {
  return own_ + thread * own_bytes_ + x_rows_bytes(max_cols_);
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
    std::copy_n(scratch_.packed_, quant::kActivationKinds, x_.data);
    x_.n_cols = n_cols;
    for (const Product& p : products) {
      NIBBLE_ASSERT(p.w->n_cols == n_cols && p.out.cols == p.w->n_rows && p.out.rows == n_tokens);
      kinds_[static_cast<int>(kind_of(p))] = true;
    }
  }

  // x is written by source, or, where it is made already, stands in `made`.
  // false: told not to go on.
  bool operator()(RowSource source, const ConstRows* made = nullptr) {
    if (prompt())
      context_.pool.run(static_cast<int>(whole_tiles(n_tokens_)),
                        [&](int i, int thread) { pack_tile(source, made, i, thread); });
    else
      context_.pool.run(n_tokens_, [&](int t, int thread) { pack_row(source, made, t, thread); });
    prompt() ? choose_panel_rows() : choose_task_bytes();
    int n_tasks = 0;
    for (const Product& p : products_) n_tasks += n_tasks_of(p);
    context_.pool.run(n_tasks, [&](int i, int thread) { multiply(i, thread); });
    return !stopped_.load(std::memory_order_relaxed);
  }

 private:
  bool prompt() const { return context_.phase == Phase::kPrompt; }
  ActivationKind kind_of(const Product& p) const {
    return nibble::kind_of(*p.w, context_.phase, context_.exact);
  }

  ConstRows make_rows(RowSource source, int first, int n, int thread) const {
    const Rows rows{scratch_.x_rows(thread), n, n_cols_, static_cast<size_t>(n_cols_)};
    for (int t = 0; t < n; ++t) source(first + t, rows.row(t));
    return rows;
  }
  void pack_tile(RowSource source, const ConstRows* made, int i, int thread) const {
    const int first = i * kTileTokens, n = std::min(kTileTokens, n_tokens_ - first);
    x_.pack_tile(kinds_, i,
                 made ? ConstRows(made->row(first), n, n_cols_, made->stride)
                      : make_rows(source, first, n, thread));
  }
  void pack_row(RowSource source, const ConstRows* made, int t, int thread) const {
    x_.pack_row(kinds_, t, made ? made->row(t) : make_rows(source, t, 1, thread).data);
  }

  // Few weights are shared out in smaller tasks, so that threads end at the same time.
  void choose_task_bytes() {
    size_t bytes = 0;
    for (const Product& p : products_) bytes += p.w->n_rows * p.w->row_bytes();
    const size_t share = bytes / (size_t(context_.pool.size()) * kTasksPerThread);
    task_bytes_ = bytes <= kFewBytes ? bytes : std::max(share, kFewBytes / 8);
  }
  void choose_panel_rows() {
    int rows = 0;
    for (const Product& p : products_) rows += p.w->n_rows;
    while (panel_rows_ > quant::kPanelRows &&
           rows / panel_rows_ < context_.pool.size() * kTasksPerThread)
      panel_rows_ /= 2;
  }
  int task_rows(const Product& p) const {
    if (!prompt()) return rows_per_task(*p.w, task_bytes_);
    return std::min(panel_rows_, Panel::max_rows(*p.w, kind_of(p)));
  }
  int n_tasks_of(const Product& p) const { return (p.w->n_rows + task_rows(p) - 1) / task_rows(p); }

  void multiply(int task, int thread) const {
    const Product* p = products_.data();
    for (; task >= n_tasks_of(*p); ++p) task -= n_tasks_of(*p);
    const int first = task * task_rows(*p), n_rows = std::min(task_rows(*p), p->w->n_rows - first);
    if (prompt() && !go_on(thread, int64_t{n_tokens_} * n_rows * n_cols_)) return;
    prompt() ? multiply_panel(*p, first, n_rows, thread)
             : multiply_rows_of(*p, first, n_rows, thread);
  }

  // Before a task of so many multiplications.
  bool go_on(int thread, int64_t macs) const {
    if (stopped_.load(std::memory_order_relaxed)) return false;
    if (thread != 0 || (macs_ += macs) <= kMacsBetween) return true;
    macs_ = 0;
    const bool more = context_.go_on();
    if (!more) stopped_.store(true, std::memory_order_relaxed);
    return more;
  }

  // Where sums are outputs they are written there at once.
  static bool is_bare(const Product& p) { return !p.bias && !p.add; }
  void finish(const Product& p, int token, int row, const float* sums, int n) const {
    ops_.add_rows(sums, p.bias ? p.bias + row : nullptr, p.out.row(token) + row, n, p.add);
  }

  void multiply_panel(const Product& p, int first, int n_rows, int thread) const {
    alignas(64) float sums[kTileTokens * Panel::kMaxRows];
    const int n_tiles = static_cast<int>(whole_tiles(n_tokens_));
    Panel panel(*p.w, kind_of(p), first, n_rows, n_tiles, scratch_.panel(thread));
    for (int t = 0; t < n_tokens_; t += kTileTokens) {
      const int n = std::min(kTileTokens, n_tokens_ - t);
      if (is_bare(p)) {
        panel.multiply(x_, t / kTileTokens, n, p.out.row(t) + first, p.out.stride);
        continue;
      }
      panel.multiply(x_, t / kTileTokens, n, sums, Panel::kMaxRows);
      for (int i = 0; i < n; ++i) finish(p, t + i, first, sums + i * Panel::kMaxRows, n_rows);
    }
  }

  void multiply_rows_of(const Product& p, int first, int n_rows, int thread) const {
    alignas(64) float sums[quant::kRowTokens * kMaxTaskRows];
    for (int t = 0; t < n_tokens_; t += quant::kRowTokens) {
      const int n = std::min(quant::kRowTokens, n_tokens_ - t);
      const Rows to = is_bare(p) ? Rows{p.out.row(t) + first, n, n_rows, p.out.stride}
                                 : Rows{sums, n, n_rows, kMaxTaskRows};
      multiply_rows(*p.w, kind_of(p), first, x_, t, scratch_.panel(thread), to);
      if (to.data != sums) continue;
      for (int i = 0; i < n; ++i) finish(p, t + i, first, to.row(i), n_rows);
    }
  }

  const MatmulContext& context_;
  const MatmulScratch& scratch_;
  const int n_tokens_;
  const int n_cols_;
  const std::span<const Product> products_;
  const kernels::OpsKernels& ops_ = kernels::ops_kernels();
  PackedX x_;
  Kinds kinds_{};
  size_t task_bytes_ = 0;             // generation: weights of a task
  int panel_rows_ = Panel::kMaxRows;  // prompts: rows of a task
  mutable int64_t macs_ = 0;          // of the calling thread since it last asked
  mutable std::atomic<bool> stopped_ = false;
};

bool matmul(const MatmulContext& context, int n_tokens, int n_cols, RowSource x,
            std::span<const Product> products) {
  return n_tokens == 0 || MatmulRun(context, n_tokens, n_cols, products)(x);
}

bool matmul(const MatmulContext& context, ConstRows x, std::span<const Product> products) {
  const auto copy = [&](int token, float* row) {
    std::memcpy(row, x.row(token), sizeof(float) * x.cols);
  };
  return x.rows == 0 || MatmulRun(context, x.rows, x.cols, products)(copy, &x);
}

}  // namespace nibble
