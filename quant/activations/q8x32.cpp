// Activations as int8 codes with one scale for 32 (kQ8x32).
#include <cstring>

#include "quant/kernels/encode_activations.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

size_t row_bytes(int n_cols) { return sizeof(Row32) * ((n_cols + 127) / 128); }
size_t tile_bytes(int n_cols) { return sizeof(Tile32) * (n_cols / 32); }

void pack_block(const float* x, int b, Row32& out) {
  int8_t q[32];
  const float d = encode_activations(x, 32, q);
  std::memcpy(out.lo[b], q, 16);
  std::memcpy(out.hi[b], q + 16, 16);
  for (int i = 0; i < 4; ++i) {
    int32_t sum = 0;
    for (int j = 4 * i; j < 4 * i + 4; ++j) sum += q[j] + q[16 + j];
    out.neg_sum[4 * b + i] = -sum;
    out.d[4 * b + i] = d;
  }
}

void pack_row(const float* x, int n_cols, std::byte* row) {
  auto* out = reinterpret_cast<Row32*>(row);
  const int n_blocks = n_cols / 32;
  if (n_blocks % 4) std::memset(out + n_blocks / 4, 0, sizeof(Row32));
  for (int b = 0; b < n_blocks; ++b) pack_block(x + 32 * b, b % 4, out[b / 4]);
}

void pack_tile(const float* x, size_t x_stride, int n_tokens, int n_cols, std::byte* tile) {
  auto* out = reinterpret_cast<Tile32*>(tile);
  for (int b = 0; b < n_cols / 32; ++b) {
    if (n_tokens < kTileTokens) std::memset(out + b, 0, sizeof(Tile32));
    for (int t = 0; t < n_tokens; ++t) {
      out[b].d[t] = encode_activations(x + t * x_stride + 32 * b, 32, out[b].q[t]);
      int32_t sum = 0;
      for (int i = 0; i < 32; ++i) sum += out[b].q[t][i];
      out[b].neg_sum[t] = -sum;
      out[b].d_neg_sum[t] = out[b].d[t] * static_cast<float>(-sum);
    }
  }
}

}  // namespace

extern const ActivationKernels q8x32_activations;
constinit const ActivationKernels q8x32_activations = {row_bytes, pack_row, tile_bytes, pack_tile};

}  // namespace nibble::quant::NIBBLE_ISA
