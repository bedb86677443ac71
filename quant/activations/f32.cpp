// Activations as they are (kF32). A row is followed by zeros up to a multiple of kF32Step columns.
// A tile holds vectors of kLanes columns, [n_cols / kLanes, n, kLanes] of each group of n tokens;
// where there is no FMA, rows.
#include <cstring>

#include "quant/isa/lanes.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

namespace lanes = kernels::NIBBLE_ISA;
using lanes::kLanes;
static_assert(kF32Step % kLanes == 0);

int padded(int n_cols) { return (n_cols + kF32Step - 1) / kF32Step * kF32Step; }
size_t row_bytes(int n_cols) { return sizeof(float) * padded(n_cols); }
size_t tile_bytes(int n_cols) { return kTileTokens * row_bytes(n_cols); }

void pack_row(const float* x, int n_cols, std::byte* row) {
  std::memcpy(row, x, sizeof(float) * n_cols);
  std::memset(row + sizeof(float) * n_cols, 0, sizeof(float) * (padded(n_cols) - n_cols));
}

void pack_rows(const float* x, size_t x_stride, int n_tokens, int n_cols, std::byte* tile) {
  const size_t bytes = row_bytes(n_cols);
  for (int t = 0; t < n_tokens; ++t) pack_row(x + t * x_stride, n_cols, tile + t * bytes);
  std::memset(tile + n_tokens * bytes, 0, (kTileTokens - n_tokens) * bytes);
}

void pack_vectors(const float* x, size_t x_stride, int n_tokens, int n_cols, std::byte* tile) {
  auto* out = reinterpret_cast<float*>(tile);
  for (int first = 0, n; first < n_tokens; first += n) {
    n = tokens_together(n_tokens - first);
    for (int c = 0; c < n_cols; c += kLanes)
      for (int t = 0; t < n; ++t, out += kLanes) {
        const float* from = x + (first + t) * x_stride + c;
        if (c + kLanes <= n_cols) {
          lanes::store(out, lanes::load(from));
        } else {
          std::memset(out, 0, sizeof(float) * kLanes);
          std::memcpy(out, from, sizeof(float) * (n_cols - c));
        }
      }
  }
}

}  // namespace

extern const ActivationKernels f32_activations;
constinit const ActivationKernels f32_activations = {row_bytes, pack_row, tile_bytes,
                                                     lanes::kHasFma ? pack_vectors : pack_rows};

}  // namespace nibble::quant::NIBBLE_ISA
