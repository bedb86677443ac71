// Activations as int8 codes with one scale for 32 (kQ8x32).
#include <cstring>

#include "quant/isa/isa.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

size_t row_bytes(int n_cols) { return sizeof(Row32) * ((n_cols + 127) / 128); }
size_t tile_bytes(int n_cols) { return sizeof(Tile32) * (n_cols / 32); }

void pack_row(const float* x, int n_cols, std::byte* row) {
  auto* out = reinterpret_cast<Row32*>(row);
  const int n_blocks = n_cols / 32;
  if (n_blocks % 4) std::memset(out + n_blocks / 4, 0, sizeof(Row32));
  for (int b = 0; b < n_blocks; ++b) {
    Row32& o = out[b / 4];
    int8_t q[32];
    const float d = encode_activations(x + 32 * b, 32, q);
    std::memcpy(o.lo[b % 4], q, 16);
    std::memcpy(o.hi[b % 4], q + 16, 16);
    o.d[b % 4] = d;
    o.d_neg_sum[b % 4] = d * static_cast<float>(neg_sum32(q));
    if (b % 4 == 3 || b + 1 == n_blocks) neg_quad_sums(o.lo[0], o.hi[0], o.neg_sum);
  }
}

void pack_tile(const float* x, size_t x_stride, int n_tokens, int n_cols, std::byte* tile) {
  auto* out = reinterpret_cast<Tile32*>(tile);
  for (int b = 0; b < n_cols / 32; ++b) {
    Tile32& o = out[b];
    if (n_tokens < kTileTokens) std::memset(&o, 0, sizeof(o));
    for (int t = 0; t < n_tokens; ++t) {
      o.d[t] = encode_activations(x + t * x_stride + 32 * b, 32, o.q[t]);
      o.neg_sum[t] = neg_sum32(o.q[t]);
      o.d_neg_sum[t] = o.d[t] * static_cast<float>(o.neg_sum[t]);
    }
  }
}

}  // namespace

extern const ActivationKernels q8x32_activations;
constinit const ActivationKernels q8x32_activations = {row_bytes, pack_row, tile_bytes, pack_tile};

}  // namespace nibble::quant::NIBBLE_ISA
