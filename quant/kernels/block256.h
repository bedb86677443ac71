// Kernels of a format of 256-weight blocks, made of its layout (quant/layouts) and of what its file
// says about one block:
//   kMaxCode, kOffsetShift
//               codes are 0..kMaxCode and stand for code - 2^kOffsetShift; -1: for themselves
//   kGroup      16 or 32 weights share an integer scale
//   kHasMin     w = scale(block) * group scale * code - dmin(block) * group minimum, in 0..63
//   codes(block, uint8_t[256]), groups(block, int8_t scale[], int8_t min[]), scale, dmin
//   kFoldedOffset  only where scale * (code - 2^kOffsetShift) + kFoldedOffset is 0..255 for all
//               scales and codes: instruction sets may multiply scales into the codes of panels
//   kOneScale   only where all group scales are 1
//   kUnit       only where scale(block) is not the half-precision number d as it stands
// and, where it pays, vector forms (quant/kernels/unpack256.h; S is quant/isa's Simd):
//   unpack_rows<S>(rows, at, q[64][16][4]), unpack_row<S>(block, S::Bytes[4])
//   unpack_halves<S>(block, S::Bytes[4])  of four groups each: first 16 codes, other 16
//   unpack_run<S, g>(block)  the 32 codes of group g, S as avx2_two_rows.h has it
//   groups_of_rows<S>(rows, at, scale, min)  S::Bytes of groups 4 k .. 4 k + 3 of each row
//   heads_of_rows<S>(rows, at, scale, min, d, dmin)  and the factors, S::Floats, in its place
#pragma once

#include <type_traits>

#include "quant/isa/isa.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"
#include "quant/kernels/unpack256.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
struct Block256 {
  using Block = typename F::Block;
  static constexpr bool kFolds = kFoldsScales && requires { F::kFoldedOffset; };
  using Plain = Panel256<F::kGroup, F::kHasMin>;
  using Panel = std::conditional_t<kFolds, Folded256<F::kHasMin>,
                                   std::conditional_t<kScalesProducts, ScaledPanel<F>, Plain>>;
  static_assert(sizeof(Block) == F::format.block_bytes && alignof(Block) == 1 &&
                F::format.block_len == 256);
  static constexpr int kOffset =
      F::kOffsetShift < 0 ? 0 : 1 << (F::kOffsetShift < 0 ? 0 : F::kOffsetShift);
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
        for (int i = 0; i < F::kGroup; ++i)
          out[i] = step * static_cast<float>(q[g * F::kGroup + i] - kOffset);
        if constexpr (F::kHasMin) {
          const float m = F::dmin(block[b]) * static_cast<float>(min[g]);
          for (int i = 0; i < F::kGroup; ++i) out[i] -= m;
        }
        out += F::kGroup;
      }
    }
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

  static void gemv(const RowProduct& p) {
    if constexpr (kHasSimd) return gemv256<F>(p);
    for (int t = 0; t < p.n_tokens; ++t)
      for (int r = 0; r < p.n_rows; ++r) {
        const auto* block = reinterpret_cast<const Block*>(p.w + r * p.row_bytes);
        const auto* row = reinterpret_cast<const Row256*>(p.x + t * p.x_bytes);
        float acc = 0;
        for (int b = 0; b < p.n_cols / 256; ++b) acc += dot_block(block[b], row[b]);
        p.y[t * p.y_stride + r] = acc;
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

  static void expand_panel(const std::byte* w, size_t row_bytes, int n_rows, int n_cols,
                           std::byte* panel) {
    auto* out = reinterpret_cast<Panel*>(panel);
    if constexpr (kHasSimd) {
      expand_rows<Simd>(w, row_bytes, n_rows, n_cols / 256, out);
    } else {
      for (int r = 0; r < kPanelRows; ++r) {
        const auto* block =
            reinterpret_cast<const Block*>(w + (r < n_rows ? r : n_rows - 1) * row_bytes);
        for (int b = 0; b < n_cols / 256; ++b) expand_row(block[b], r, out[b]);
      }
    }
  }

  template <class S>
  static void expand_scales(typename S::Rows rows, size_t at, Panel& out) {
    typename S::Bytes scale[4], min[4];
    typename S::Floats d, dmin;
    heads_of_rows256<F, S>(rows, at, scale, min, d, dmin);
    if constexpr (kFolds) {
      S::store(out.d, d);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) fold_scales<F>(scale[i], out.q + 16 * i);
    } else if constexpr (kScalesProducts) {
      S::store(out.d, d);
      store_groups<F>(scale, min, out);
    } else {
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; g += 4) {
        const auto four = scale[g / 4];
        S::store(out.scale[g], S::mul(d, S::template byte_floats<0>(four)));
        S::store(out.scale[g + 1], S::mul(d, S::template byte_floats<1>(four)));
        S::store(out.scale[g + 2], S::mul(d, S::template byte_floats<2>(four)));
        S::store(out.scale[g + 3], S::mul(d, S::template byte_floats<3>(four)));
      }
    }
    if constexpr (F::kHasMin) S::store(out.dmin, dmin);
    if constexpr (F::kHasMin && !kScalesProducts) {
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; g += 4) {
        S::store(out.min[g / 2], S::template byte_pairs<0>(min[g / 4]));
        S::store(out.min[g / 2 + 1], S::template byte_pairs<1>(min[g / 4]));
      }
    }
  }

  template <class S>
  static void expand_rows(const std::byte* w, size_t row_bytes, int n_rows, int n_blocks,
                          Panel* out) {
    const std::byte* rows[kPanelRows];
    for (int r = 0; r < kPanelRows; ++r) rows[r] = w + (r < n_rows ? r : n_rows - 1) * row_bytes;
    for (int b = 0; b < n_blocks; ++b) {
      unpack_rows256<F, S>(rows, b * sizeof(Block), out[b].q);
      expand_scales<S>(rows, b * sizeof(Block), out[b]);
      arrange_codes(out[b]);
    }
  }

  static void multiply_panel(const std::byte* panel, int n_rows, int n_cols, const std::byte* tile,
                             int n_tokens, float* out, size_t out_stride) {
    const auto* w = reinterpret_cast<const Panel*>(panel);
    const auto* x = reinterpret_cast<const Tile256*>(tile);
    if constexpr (kFolds)
      multiply_folded<F>(w, x, n_cols / 256, n_rows, n_tokens, out, out_stride);
    else
      multiply256<F>(w, x, n_cols / 256, n_rows, n_tokens, out, out_stride);
  }

  static consteval Kernels kernels() {
    return {&F::format,  dequantize,   nullptr,        gemv,
            panel_bytes, expand_panel, multiply_panel, kFewTokens<F>};
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
