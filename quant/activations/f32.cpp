// Activations as they are: a row is a copy, a tile is kTileTokens rows after each other.
#include <cstring>

#include "quant/format.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

size_t row_bytes(int n_cols) { return sizeof(float) * n_cols; }
size_t tile_bytes(int n_cols) { return kTileTokens * row_bytes(n_cols); }
void pack_row(const float* x, int n_cols, std::byte* row) {
  std::memcpy(row, x, row_bytes(n_cols));
}
void pack_tile(const float* x, size_t x_stride, int n_tokens, int n_cols, std::byte* tile) {
  const size_t bytes = row_bytes(n_cols);
  for (int t = 0; t < kTileTokens; ++t) {
    if (t < n_tokens)
      std::memcpy(tile + t * bytes, x + t * x_stride, bytes);
    else
      std::memset(tile + t * bytes, 0, bytes);
  }
}

}  // namespace

extern const ActivationKernels f32_activations;
constinit const ActivationKernels f32_activations = {row_bytes, pack_row, tile_bytes, pack_tile};

}  // namespace nibble::quant::NIBBLE_ISA
