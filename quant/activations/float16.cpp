// Activations for 16-bit float weights (kFloat16).
#include <cstring>

#include "quant/isa/half.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

int padded(int n_cols, int step) { return (n_cols + step - 1) / step * step; }
size_t row_bytes(int n_cols) { return sizeof(float) * padded(n_cols, kRowStep); }
size_t tile_bytes(int n_cols) { return sizeof(TileBf16) * (padded(n_cols, 32) / 32); }

void pack_row(const float* x, int n_cols, std::byte* row) {
  std::memcpy(row, x, sizeof(float) * n_cols);
  std::memset(row + sizeof(float) * n_cols, 0, row_bytes(n_cols) - sizeof(float) * n_cols);
}

void pack_tile(const float* x, size_t x_stride, int n_tokens, int n_cols, std::byte* tile) {
  auto* out = reinterpret_cast<TileBf16*>(tile);
  if (n_tokens < kTileTokens || n_cols % 32) std::memset(tile, 0, tile_bytes(n_cols));
  for (int c = 0; c < n_cols; c += 32) {
    const int n = n_cols - c < 32 ? n_cols - c : 32;
    for (int t = 0; t < n_tokens; ++t)
      for (int i = 0; i < n; ++i) out[c / 32].q[t][i] = float_to_bf16_bits(x[t * x_stride + c + i]);
  }
}

}  // namespace

extern const ActivationKernels float16_activations;
constinit const ActivationKernels float16_activations = {row_bytes, pack_row, tile_bytes,
                                                         pack_tile};

}  // namespace nibble::quant::NIBBLE_ISA
