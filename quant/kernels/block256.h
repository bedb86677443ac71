// Kernels of a format of 256-weight blocks, made of what the format's file says about one block:
//   Block                     its bytes, without alignment
//   format                    its row of the registry
//   kMaxCode, kOffsetShift    codes are 0..kMaxCode and stand for code - 2^kOffsetShift; -1: for themselves
//   kGroup                    16 or 32 weights share an integer scale
//   kHasMin                   w = scale(Block) * group_scale * code - dmin(Block) * group_min, minima in 0..63
//   scale(Block), dmin(Block), codes(Block, uint8_t[256])
//   groups(Block, int8_t scale[256 / kGroup], int8_t min[256 / kGroup])
//   quantize_block(const float[256], Block&)   optional
#pragma once

#include "quant/isa/isa.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
struct Block256 {
  using Block = typename F::Block;
  using Panel = Panel256<F::kGroup, F::kHasMin>;
  static_assert(sizeof(Block) == F::format.block_bytes && alignof(Block) == 1 && F::format.block_len == 256);
  static constexpr int kOffset = F::kOffsetShift < 0 ? 0 : 1 << (F::kOffsetShift < 0 ? 0 : F::kOffsetShift);
  static constexpr int kGroups = 256 / F::kGroup;

  static void dequantize(const std::byte* blocks, int64_t n, float* out) {
    const auto* block = reinterpret_cast<const Block*>(blocks);
    for (int64_t b = 0; b < n / 256; ++b) {
      uint8_t q[256];
      int8_t scale[kGroups], min[kGroups];
      F::codes(block[b], q);
      F::groups(block[b], scale, min);
      const float d = F::scale(block[b]);
      for (int g = 0; g < kGroups; ++g) {
        const float step = d * static_cast<float>(scale[g]);
        for (int i = 0; i < F::kGroup; ++i) out[i] = step * static_cast<float>(q[g * F::kGroup + i] - kOffset);
        if constexpr (F::kHasMin) {
          const float m = F::dmin(block[b]) * static_cast<float>(min[g]);
          for (int i = 0; i < F::kGroup; ++i) out[i] -= m;
        }
        out += F::kGroup;
      }
    }
  }

  static void quantize(const float* x, int64_t n, std::byte* blocks)
    requires requires(Block& b) { F::quantize_block(x, b); }
  {
    auto* block = reinterpret_cast<Block*>(blocks);
    for (int64_t b = 0; b < n / 256; ++b) F::quantize_block(x + 256 * b, block[b]);
  }

  static float dot_block(const Block& block, const Row256& a) {
    uint8_t q[256];
    int8_t scale[kGroups], min[kGroups];
    F::codes(block, q);
    F::groups(block, scale, min);
    int32_t sum = 0, mins = 0;
    for (int g = 0; g < kGroups; ++g) {
      const int32_t neg = F::kGroup == 16 ? a.neg_sum16[g] : a.neg_sum32[g];
      const int8_t* x = &a.q[0][0] + kRunAt[g * F::kGroup / 32] + g * F::kGroup % 32;
      int32_t s = neg * kOffset;
      for (int i = 0; i < F::kGroup; ++i) s += q[g * F::kGroup + i] * x[i];
      sum += scale[g] * s;
      if constexpr (F::kHasMin) mins += min[g] * neg;
    }
    float value = static_cast<float>(sum) * (F::scale(block) * a.d);
    if constexpr (F::kHasMin) value += static_cast<float>(mins) * (F::dmin(block) * a.d);
    return value;
  }

  static void gemv(const std::byte* w, size_t row_bytes, int n_rows, int n_cols, const std::byte* x, float* y) {
    const auto* row = reinterpret_cast<const Row256*>(x);
    for (int r = 0; r < n_rows; ++r) {
      const auto* block = reinterpret_cast<const Block*>(w + r * row_bytes);
      float acc = 0;
      for (int b = 0; b < n_cols / 256; ++b) acc += dot_block(block[b], row[b]);
      y[r] = acc;
    }
  }

  static size_t panel_bytes(int n_cols) { return sizeof(Panel) * (n_cols / 256); }

  static void expand_row(const Block& block, int r, Panel& out) {
    uint8_t q[256];
    int8_t scale[kGroups], min[kGroups];
    F::codes(block, q);
    F::groups(block, scale, min);
    for (int i = 0; i < 256; ++i) out.q[i / 4][r][i % 4] = q[i];
    const float d = F::scale(block);
    for (int g = 0; g < kGroups; ++g) out.scale[g][r] = d * static_cast<float>(scale[g]);
    if constexpr (F::kHasMin) {
      for (int g = 0; g < kGroups; ++g) out.min[g / 2][r][g % 2] = min[g];
      out.dmin[r] = F::dmin(block);
    }
  }

  static void expand_panel(const std::byte* w, size_t row_bytes, int n_rows, int n_cols, std::byte* panel) {
    auto* out = reinterpret_cast<Panel*>(panel);
    for (int r = 0; r < kPanelRows; ++r) {
      const auto* block = reinterpret_cast<const Block*>(w + (r < n_rows ? r : n_rows - 1) * row_bytes);
      for (int b = 0; b < n_cols / 256; ++b) expand_row(block[b], r, out[b]);
    }
  }

  static void multiply_panel(const std::byte* panel, int n_rows, int n_cols, const std::byte* tile, int n_tokens,
                             float* out, size_t out_stride) {
    multiply256<F>(reinterpret_cast<const Panel*>(panel), reinterpret_cast<const Tile256*>(tile), n_cols / 256, n_rows,
                   n_tokens, out, out_stride);
  }

  static consteval Kernels kernels() {
    Kernels k{&F::format, dequantize, nullptr, gemv, panel_bytes, expand_panel, multiply_panel};
    if constexpr (requires(Block& b, const float* x) { F::quantize_block(x, b); }) k.quantize = quantize;
    return k;
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
