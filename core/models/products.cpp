// See products.h.
#include "core/models/products.h"

#include <algorithm>
#include <cstring>

namespace nibble {
namespace {

// Multiplications in one piece: 20 ms at 100 GMAC/s, what one Zen 4 core does with the AVX-512
// panel kernels.
constexpr int64_t kPieceMacs = int64_t{2} << 30;

int64_t macs(int n_tokens, const Matrix& w) { return int64_t{n_tokens} * w.n_rows * w.n_cols; }

}  // namespace

void Products::run(int n_tokens, int n_cols, RowSource x, std::span<const Product> products) {
  if (stopped_ || n_tokens == 0) return;
  int64_t total = 0;
  for (const Product& p : products) total += macs(n_tokens, *p.w);
  if (total <= kPieceMacs || phase_ == Phase::kGeneration) {
    matmul(context(), n_tokens, n_cols, x, products);
    return;
  }
  for (const Product& p : products) run_pieces(n_tokens, n_cols, x, p);
}

void Products::run_pieces(int n_tokens, int n_cols, RowSource x, const Product& p) {
  const int64_t row_macs = int64_t{n_tokens} * n_cols;
  const int64_t whole_panels = std::max<int64_t>(1, kPieceMacs / row_macs / quant::kPanelRows);
  const int step =
      static_cast<int>(std::min<int64_t>(whole_panels * quant::kPanelRows, p.w->n_rows));
  for (int first = 0; first < p.w->n_rows && !ask(); first += step) {
    Matrix w = *p.w;
    w.n_rows = std::min(step, p.w->n_rows - first);
    w.data += static_cast<size_t>(first) * w.row_bytes();
    const Product piece{&w, p.bias ? p.bias + first : nullptr, columns(p.out, first, w.n_rows),
                        p.add};
    matmul(context(), n_tokens, n_cols, x, std::span(&piece, 1));
  }
}

void Products::run(ConstRows x, std::span<const Product> products) {
  run(
      x.rows, x.cols,
      [&](int t, float* out) { std::memcpy(out, x.row(t), sizeof(float) * x.cols); }, products);
}

}  // namespace nibble
