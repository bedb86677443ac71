// Random weights and activations for the tests and microbenchmarks of quant/.
#pragma once

#include <bit>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "quant/format.h"

namespace nibble::tests {

// n bytes at a 64-byte boundary.
inline std::shared_ptr<std::byte> aligned_bytes(size_t n) {
  void* p = std::aligned_alloc(64, (n + 63) / 64 * 64);
  return {static_cast<std::byte*>(p), std::free};
}

// Blocks of random bits whose largest value lies in 0.01..100, as that of a real file's blocks
// does.
inline std::vector<std::byte> random_blocks(const quant::Format& format, int64_t n_weights,
                                            std::mt19937& random) {
  const auto decode = quant::kernels(format).dequantize;
  std::vector<std::byte> blocks(format.row_bytes(n_weights));
  std::vector<float> values(format.block_len);
  for (size_t at = 0; at < blocks.size(); at += format.block_bytes) {
    for (float max = 0; !(max >= 0.01f && max <= 100);) {
      for (int i = 0; i < format.block_bytes; ++i)
        blocks[at + i] = static_cast<std::byte>(random());
      decode(&blocks[at], format.block_len, values.data());
      max = 0;
      for (float v : values) max = std::abs(v) <= 100 ? std::max(max, std::abs(v)) : 1000;
    }
  }
  return blocks;
}

// Normal values, one in 64 of them eight times as large.
inline std::vector<float> random_activations(size_t n, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> x(n);
  for (float& v : x) v = normal(random) * (random() % 64 ? 1.0f : 8.0f);
  return x;
}

// What the kernels see of x: int8 codes times max|x| / 127 over runs of the kind's length.
inline std::vector<float> rounded_activations(const std::vector<float>& x, int run) {
  std::vector<float> out(x.size());
  for (size_t at = 0; at < x.size(); at += run) {
    float max = 0;
    for (int i = 0; i < run; ++i) max = std::max(max, std::abs(x[at + i]));
    for (int i = 0; i < run; ++i)
      out[at + i] = std::nearbyint(x[at + i] * (127 / max)) * (max / 127);
  }
  return out;
}

inline std::vector<float> rounded_activations(const std::vector<float>& x,
                                              quant::ActivationKind kind) {
  if (kind == quant::ActivationKind::kF32) return x;
  return rounded_activations(x, kind == quant::ActivationKind::kQ8x32 ? 32 : 256);
}

// What row kernels and what panel kernels see of x.
inline std::vector<float> row_activations(const std::vector<float>& x, quant::ActivationKind kind) {
  return kind == quant::ActivationKind::kFloat16 ? x : rounded_activations(x, kind);
}
inline std::vector<float> tile_activations(const std::vector<float>& x,
                                           quant::ActivationKind kind) {
  if (kind != quant::ActivationKind::kFloat16) return rounded_activations(x, kind);
  std::vector<float> out(x);
  for (float& v : out) {  // bf16: to nearest, ties to even
    const uint32_t bits = std::bit_cast<uint32_t>(v);
    v = std::bit_cast<float>((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
  }
  return out;
}

}  // namespace nibble::tests
