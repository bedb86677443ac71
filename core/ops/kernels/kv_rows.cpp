// Rows of the KV cache from and to f32.
#include "core/ops/kernels/kv_rows.h"

#include "core/ops/kernels/functions.h"

namespace nibble::kernels::NIBBLE_ISA {
namespace {

template <class Reader>
bool read_rows(const std::byte* rows, size_t row_bytes, int n_rows, int width, float* out) {
  F wild = {};  // x - x: 0, or NaN when x is no finite number
  float rest = 0;
  for (int r = 0; r < n_rows; ++r, rows += row_bytes, out += width) {
    int i = 0;
    for (; i + kLanes <= width; i += kLanes) {
      const F x = Reader::lanes(rows, i);
      wild += x - x;
      store(out + i, x);
    }
    for (; i < width; ++i) {
      out[i] = Reader::one(rows, i);
      rest += out[i] - out[i];
    }
  }
  return sum_lanes(wild) + rest == 0;
}

void write_f32(const float* x, int n, std::byte* row) { std::memcpy(row, x, n * sizeof(float)); }

void write_f16(const float* x, int n, std::byte* row) {
  auto* out = reinterpret_cast<uint16_t*>(row);
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) store_half(out + i, load(x + i));
  for (; i < n; ++i) out[i] = quant::NIBBLE_ISA::float_to_half_bits(x[i]);
}

void write_bf16(const float* x, int n, std::byte* row) {
  auto* out = reinterpret_cast<uint16_t*>(row);
  for (int i = 0; i < n; ++i) out[i] = quant::NIBBLE_ISA::float_to_bf16_bits(x[i]);
}

// write(block, 32 numbers) for all blocks of a row.
template <class Block, class Write>
void write_blocks(const float* x, int n, std::byte* row, Write write) {
  auto* out = reinterpret_cast<Block*>(row);
  int i = 0;
  for (; i + 32 <= n; i += 32) write(*out++, x + i);
  if (i == n) return;
  float last[32] = {};
  std::memcpy(last, x + i, (n - i) * sizeof(float));
  write(*out, last);
}

// d = max|x| / 127, q = x / d to the nearest integer; d is NaN where x is not finite.
void write_q8_0(const float* x, int n, std::byte* row) {
  write_blocks<Q8Rows::Block>(x, n, row, [](Q8Rows::Block& block, const float* from) {
    block.d = quant::NIBBLE_ISA::to_half(quant::NIBBLE_ISA::encode_activations(from, 32, block.q));
  });
}

// d = the number of largest magnitude / -8, q = x / d + 8 to the nearest of 0..15; d is NaN where x
// is not finite.
void write_q4_0(const float* x, int n, std::byte* row) {
  write_blocks<Q4Rows::Block>(x, n, row, [](Q4Rows::Block& block, const float* from) {
    float least = from[0], most = from[0], wild = 0;
    for (int i = 0; i < 32; ++i) {
      least = from[i] < least ? from[i] : least;
      most = from[i] > most ? from[i] : most;
      wild += from[i] - from[i];
    }
    const float d = (most > -least ? most : least) / -8 + wild;
    const float inverse = d > 1e-30f || d < -1e-30f ? 1 / d : 0;
    const auto code = [&](int i) {
      const int q = static_cast<int>(from[i] * inverse + 8.5f);
      return q < 15 ? q : 15;
    };
    block.d = quant::NIBBLE_ISA::to_half(d);
    for (int i = 0; i < 16 && wild == 0; ++i)
      block.q[i] = static_cast<uint8_t>(code(i) | code(i + 16) << 4);
  });
}

}  // namespace

constinit const KvRowKernels kv_rows[] = {{write_f32, read_rows<F32Rows>},
                                          {write_f16, read_rows<F16Rows>},
                                          {write_bf16, read_rows<Bf16Rows>},
                                          {write_q8_0, read_rows<Q8Rows>},
                                          {write_q4_0, read_rows<Q4Rows>}};

}  // namespace nibble::kernels::NIBBLE_ISA
