// Activations as int8 codes with one scale for 256 (kQ8x256).
#include <cstring>

#include "quant/isa/isa.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

size_t row_bytes(int n_cols) { return sizeof(Row256) * (n_cols / 256); }
size_t tile_bytes(int n_cols) { return sizeof(Tile256) * (n_cols / 256); }

// The negated sums over each 16 and each 32 of 256 codes.
void sum_codes(const int8_t* q, int16_t* neg_sum16, int16_t* neg_sum32) {
  for (int g = 0; g < 16; ++g) {
    int32_t sum = 0;
    for (int i = 0; i < 16; ++i) sum += q[16 * g + i];
    neg_sum16[g] = static_cast<int16_t>(-sum);
  }
  for (int g = 0; g < 8; ++g)
    neg_sum32[g] = static_cast<int16_t>(neg_sum16[2 * g] + neg_sum16[2 * g + 1]);
}

void pack_row(const float* x, int n_cols, std::byte* row) {
  auto* out = reinterpret_cast<Row256*>(row);
  for (int b = 0; b < n_cols / 256; ++b) {
    int8_t q[256];
    out[b].d = encode_activations(x + 256 * b, 256, q);
    for (int i = 0; i < 8; ++i) std::memcpy(&out[b].q[0][0] + kRunAt[i], q + 32 * i, 32);
    sum_codes(q, out[b].neg_sum16, out[b].neg_sum32);
  }
}

void pack_tile(const float* x, size_t x_stride, int n_tokens, int n_cols, std::byte* tile) {
  auto* out = reinterpret_cast<Tile256*>(tile);
  for (int b = 0; b < n_cols / 256; ++b) {
    Tile256& o = out[b];
    if (n_tokens < kTileTokens) std::memset(&o, 0, sizeof(o));
    for (int t = 0; t < n_tokens; ++t) {
      int8_t q[256];
      o.d[t] = encode_activations(x + t * x_stride + 256 * b, 256, q);
      for (int i = 0; i < 8; ++i) std::memcpy(o.q[i][t], q + 32 * i, 32);
      sum_codes(q, o.neg_pairs16[t], o.neg_pairs32[t]);
      for (int g = 0; g < 16; ++g) o.neg_sum16[g][t] = o.neg_pairs16[t][g];
      for (int g = 0; g < 8; ++g) o.neg_sum32[g][t] = o.neg_pairs32[t][g];
      int32_t sum = 0;
      for (int g = 0; g < 8; ++g) sum += o.neg_pairs32[t][g];
      o.neg_sum256[t] = sum;
    }
  }
}

}  // namespace

extern const ActivationKernels q8x256_activations;
constinit const ActivationKernels q8x256_activations = {row_bytes, pack_row, tile_bytes, pack_tile};

}  // namespace nibble::quant::NIBBLE_ISA
