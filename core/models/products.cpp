// See products.h.
#include "core/models/products.h"

#include <cstring>
#include <vector>

#include "core/base/assert.h"
#include "core/ops/low_rank.h"

namespace nibble {
namespace {

// The part of an adapter's change that is for the rows of w.
Matrix change_of(const Matrix& w) { return w.low_rank->b.rows(w.low_rank_row, w.n_rows); }

int ranks_of(std::span<const Product> products) {
  int n = 0;
  for (const Product& p : products) n += p.w->low_rank ? p.w->low_rank->rank() : 0;
  return n;
}

}  // namespace

// A x first: an output may be what x is made of.
void Products::run(int n_tokens, int n_cols, RowSource x, std::span<const Product> products) {
  if (stopped_) return;
  if (watch_) tell(n_tokens, n_cols, x, products);
  const bool adapted = ranks_of(products) > 0;
  if (adapted) reduce(n_tokens, n_cols, x, products);
  if (!stopped_) stopped_ = !matmul(context(), n_tokens, n_cols, x, products);
  if (adapted && !stopped_) expand(n_tokens, products);
}

void Products::run(ConstRows x, std::span<const Product> products) {
  if (stopped_) return;
  if (ranks_of(products) == 0) {
    if (watch_) tell(x, products);
    stopped_ = !matmul(context(), x, products);
    return;
  }
  const auto copy = [&](int t, float* out) { std::memcpy(out, x.row(t), sizeof(float) * x.cols); };
  run(x.rows, x.cols, copy, products);
}

// Rows are made once more, for the watch alone.
void Products::tell(int n_tokens, int n_cols, RowSource x, std::span<const Product> products) {
  std::vector<float> made(static_cast<size_t>(n_tokens) * n_cols);
  const Rows rows{made.data(), n_tokens, n_cols, static_cast<size_t>(n_cols)};
  pool_.run(n_tokens, [&](int t, int) { x(t, rows.row(t)); });
  tell(ConstRows(rows), products);
}

void Products::tell(ConstRows x, std::span<const Product> products) {
  for (const Product& p : products) watch_->seen(*p.w, x);
}

// low_rank_ = A x of each product that has one, side by side.
void Products::reduce(int n_tokens, int n_cols, RowSource x, std::span<const Product> products) {
  const int n = ranks_of(products);
  NIBBLE_ASSERT(products.size() <= kMaxAdapted &&
                low_rank_.size() >= static_cast<size_t>(n_tokens) * static_cast<size_t>(n));
  const Rows all{low_rank_.data(), n_tokens, n, static_cast<size_t>(n)};
  Product parts[kMaxAdapted];
  size_t n_parts = 0;
  int at = 0;
  for (const Product& p : products) {
    if (!p.w->low_rank) continue;
    const Matrix& a = p.w->low_rank->a;
    parts[n_parts++] = {&a, nullptr, columns(all, at, a.n_rows), false};
    at += a.n_rows;
  }
  stopped_ = !matmul(context(), n_tokens, n_cols, x, std::span(parts, n_parts));
}

// out += B low_rank_
void Products::expand(int n_tokens, std::span<const Product> products) {
  const auto n = static_cast<size_t>(ranks_of(products));
  int at = 0;
  for (const Product& p : products) {
    if (!p.w->low_rank || stopped_) continue;
    const Matrix b = change_of(*p.w);
    const Product change{&b, nullptr, p.out, true};
    stopped_ = !matmul(context(), ConstRows(low_rank_.data() + at, n_tokens, b.n_cols, n),
                       std::span(&change, 1));
    at += b.n_cols;
  }
}

}  // namespace nibble
