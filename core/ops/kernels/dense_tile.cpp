// Dense f32 products: weight rows in lanes, tokens broadcast.
#include <algorithm>

#include "core/ops/kernels/functions.h"
#include "core/ops/kernels/outer.h"

namespace nibble::kernels::NIBBLE_ISA {
namespace {

// Tokens whose sums stay in registers, beside two vectors of rows and a broadcast operand.
constexpr int kTogether = kRegisters == 16 ? 6 : 8;

// Columns that are added up at a time. Weights of some rows are in every second or fourth line, so
// they have that share of the L1 cache: with 256 columns on AVX2 an F16 prompt took 4 % longer.
constexpr int kDepth = kRegisters == 16 ? 128 : kDenseDepth;
static_assert(kDenseDepth % kDepth == 0);

// out[j, r] += sum_c w[c, r] * x[j, c] for N tokens, kTileRows rows and kDepth columns.
template <int N>
void add_tokens(const float* w, const float* x, size_t n_cols, float* out) {
  F sums[N][kVectors] = {};
  add_outer(w, kQueryRows, x, n_cols, kDepth, sums);
  for (int j = 0; j < N; ++j)
    for (int v = 0; v < kVectors; ++v) {
      float* at = out + j * kQueryRows + v * kLanes;
      store(at, load(at) + sums[j][v]);
    }
}

// The same for n tokens, at most kMost.
template <int kMost>
void add_rest(int n, const float* w, const float* x, size_t n_cols, float* out) {
  if constexpr (kMost > 0)
    n == kMost ? add_tokens<kMost>(w, x, n_cols, out) : add_rest<kMost - 1>(n, w, x, n_cols, out);
}

}  // namespace

// All tokens take kDepth columns of some rows in turn, from the L1 cache.
void dense_tile(const float* w, const float* x, size_t n_cols, int n_tokens, float* out) {
  std::fill_n(out, n_tokens * kQueryRows, 0.0f);
  for (size_t c = 0; c < n_cols; c += kDepth)
    for (int r = 0; r < kQueryRows; r += kTileRows) {
      const float* from = w + c * kQueryRows + r;
      int t = 0;
      for (; t + kTogether <= n_tokens; t += kTogether)
        add_tokens<kTogether>(from, x + t * n_cols + c, n_cols, out + t * kQueryRows + r);
      add_rest<kTogether - 1>(n_tokens - t, from, x + t * n_cols + c, n_cols,
                              out + t * kQueryRows + r);
    }
}

float dot(const float* a, const float* b, size_t n) {
  F sums[4] = {};
  for (size_t i = 0; i < n; i += 4 * kLanes)
    for (int k = 0; k < 4; ++k)
      sums[k] = fma(load(a + i + k * kLanes), load(b + i + k * kLanes), sums[k]);
  return sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace nibble::kernels::NIBBLE_ISA
