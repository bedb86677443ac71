// Kernels of a format of 32-weight blocks, made of its layout (quant/layouts) and of what its file
// says about one block:
//   kMaxCode, kOffsetShift
//               codes are 0..kMaxCode and stand for code - 2^kOffsetShift; -1: for themselves
//   kHasMin     the layout's: w = scale * code + minimum
//   kPowersOfTwo  only where every scale is one: some instruction sets need no multiplier for it
//   codes(block, uint8_t[32]), scale(block), minimum(block)
// and as vectors (S is quant/isa's Simd):
//   unpack_rows<S>(rows, at, S::Bytes[8])
//               the blocks at rows[r] + at of 16 rows; q[k] holds codes 4k .. 4k + 3 of each
//   unpack_four<S>(S::Four, lo, hi)
//               codes 0..15 and 16..31 of four consecutive blocks of one row
//   scales_of_rows<S>(rows, at)
//               only where they are not half-precision numbers d, with minima m right behind
//   factors_of_four<S>(S::Four)
//               the scales of four consecutive blocks, then their minima
#pragma once

#include <type_traits>

#include "quant/isa/isa.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
struct Block32 {
  using Block = typename F::Block;
  using Panel = std::conditional_t<kSplitsSigns<F>, Signed32, Panel32<F::kHasMin>>;
  static_assert(sizeof(Block) == F::format.block_bytes && alignof(Block) == 1 &&
                F::format.block_len == 32);
  static constexpr int kOffset =
      F::kOffsetShift < 0 ? 0 : 1 << (F::kOffsetShift < 0 ? 0 : F::kOffsetShift);

  static void dequantize(const std::byte* blocks, int64_t n, float* out) {
    const auto* block = reinterpret_cast<const Block*>(blocks);
    for (int64_t b = 0; b < n / 32; ++b, out += 32) {
      uint8_t q[32];
      F::codes(block[b], q);
      const float d = F::scale(block[b]);
      for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(q[i] - kOffset) * d;
      if constexpr (F::kHasMin) {
        const float m = F::minimum(block[b]);
        for (int i = 0; i < 32; ++i) out[i] += m;
      }
    }
  }

  static float dot_block(const Block& block, const Row32& a, int at, float acc) {
    uint8_t q[32];
    F::codes(block, q);
    const int32_t* neg_sum = a.neg_sum + 4 * at;
    const int32_t neg = neg_sum[0] + neg_sum[1] + neg_sum[2] + neg_sum[3];
    int32_t sum = neg * kOffset;
    for (int i = 0; i < 16; ++i) sum += q[i] * a.lo[at][i] + q[16 + i] * a.hi[at][i];
    acc += static_cast<float>(sum) * (F::scale(block) * a.d[at]);
    if constexpr (F::kHasMin) acc -= F::minimum(block) * a.d_neg_sum[at];
    return acc;
  }

  static void gemv(const RowProduct& p) {
    if constexpr (kHasSimd) return gemv32<F>(p);
    for (int t = 0; t < p.n_tokens; ++t)
      for (int r = 0; r < p.n_rows; ++r) {
        const auto* block = reinterpret_cast<const Block*>(p.w + r * p.row_bytes);
        const auto* row = reinterpret_cast<const Row32*>(p.x + t * p.x_bytes);
        float acc = 0;
        for (int b = 0; b < p.n_cols / 32; ++b) acc = dot_block(block[b], row[b / 4], b % 4, acc);
        p.y[t * p.y_stride + r] = acc;
      }
  }

  static size_t panel_bytes(int n_cols) { return sizeof(Panel) * (n_cols / 32); }

  static void expand_panel(const std::byte* w, size_t row_bytes, int n_rows, int n_cols,
                           std::byte* panel) {
    auto* out = reinterpret_cast<Panel*>(panel);
    if constexpr (kHasSimd) return expand_rows<Simd>(w, row_bytes, n_rows, n_cols / 32, out);
    for (int r = 0; r < kPanelRows; ++r) {
      const auto* block =
          reinterpret_cast<const Block*>(w + (r < n_rows ? r : n_rows - 1) * row_bytes);
      for (int b = 0; b < n_cols / 32; ++b) {
        uint8_t q[32];
        F::codes(block[b], q);
        for (int i = 0; i < 32; ++i) out[b].q[i / 4][r][i % 4] = q[i];
        out[b].d[r] = F::scale(block[b]);
        if constexpr (F::kHasMin) out[b].m[r] = F::minimum(block[b]);
      }
    }
  }

  template <class S>
  static void expand_factors(typename S::Rows rows, size_t at, Panel& out) {
    if constexpr (requires { F::template scales_of_rows<S>(rows, at); }) {
      S::store(out.d, F::template scales_of_rows<S>(rows, at));
    } else {  // four bytes take fewer instructions than two
      static_assert(offsetof(Block, d) + 4 <= sizeof(Block));
      const auto factors = S::dwords(rows, at + offsetof(Block, d));
      S::store(out.d, S::template dword_halves<0>(factors));
      if constexpr (F::kHasMin) {
        static_assert(offsetof(Block, m) == offsetof(Block, d) + 2);
        S::store(out.m, S::template dword_halves<1>(factors));
      }
    }
  }

  template <class S>
  static void expand_rows(const std::byte* w, size_t row_bytes, int n_rows, int n_blocks,
                          Panel* out) {
    const std::byte* rows[kPanelRows];
    for (int r = 0; r < kPanelRows; ++r) rows[r] = w + (r < n_rows ? r : n_rows - 1) * row_bytes;
    for (int b = 0; b < n_blocks; ++b) {
      const size_t at = b * sizeof(Block);
      typename S::Bytes q[8];
      F::template unpack_rows<S>(rows, at, q);
#pragma GCC unroll 8
      for (int k = 0; k < 8; ++k) S::store(out[b].q[k], q[k]);
      arrange_codes(out[b]);
      expand_factors<S>(rows, at, out[b]);
    }
  }

  static void multiply_panel(const std::byte* panel, int n_rows, int n_cols, const std::byte* tile,
                             int n_tokens, float* out, size_t out_stride) {
    multiply32<F>(reinterpret_cast<const Panel*>(panel), reinterpret_cast<const Tile32*>(tile),
                  n_cols / 32, n_rows, n_tokens, out, out_stride);
  }

  static consteval Kernels kernels() {
    return {&F::format,  dequantize,   nullptr,        gemv,
            panel_bytes, expand_panel, multiply_panel, kFewTokens<F>};
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
