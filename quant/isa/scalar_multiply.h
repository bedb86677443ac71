// Panel times tile in plain loops. The results of one token do not depend on the others.
#pragma once

#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

// sum[r] += n consecutive codes of row r times as many of a.
template <int kMaxCode>
inline void dot_panel(const uint8_t (*q)[kPanelRows][4], const int8_t* a, int n,
                      int32_t (&sum)[kPanelRows]) {
  for (int k = 0; k < n / 4; ++k)
    for (int r = 0; r < kPanelRows; ++r)
      for (int i = 0; i < 4; ++i) sum[r] += q[k][r][i] * a[4 * k + i];
}

// out[t * out_stride + r] += sums, for t < n_tokens, r < n_rows. F: the format
// (quant/kernels/block32.h).
template <class F>
void multiply32(const Panel32<F::kHasMin>* panel, const Tile32* tile, int n_blocks, int n_rows,
                int n_tokens, float* out, size_t out_stride) {
  for (int t = 0; t < n_tokens; ++t) {
    float acc[kPanelRows] = {};
    for (int r = 0; r < n_rows; ++r) acc[r] = out[t * out_stride + r];
    for (int b = 0; b < n_blocks; ++b) {
      const auto& w = panel[b];
      const auto& x = tile[b];
      int32_t sum[kPanelRows] = {};
      if constexpr (F::kOffsetShift >= 0)
        for (int32_t& s : sum) s = x.neg_sum[t] * (1 << F::kOffsetShift);
      dot_panel<F::kMaxCode>(w.q, x.q[t], 32, sum);
      for (int r = 0; r < kPanelRows; ++r) acc[r] += static_cast<float>(sum[r]) * (w.d[r] * x.d[t]);
      if constexpr (F::kHasMin) {
        for (int r = 0; r < kPanelRows; ++r) acc[r] -= w.m[r] * x.d_neg_sum[t];
      }
    }
    for (int r = 0; r < n_rows; ++r) out[t * out_stride + r] = acc[r];
  }
}

// The same for blocks of 256. F: quant/kernels/block256.h.
template <class F>
void multiply256(const Panel256<F::kGroup, F::kHasMin>* panel, const Tile256* tile, int n_blocks,
                 int n_rows, int n_tokens, float* out, size_t out_stride) {
  constexpr int kGroups = 256 / F::kGroup;
  for (int t = 0; t < n_tokens; ++t) {
    float total[kPanelRows] = {};
    for (int r = 0; r < n_rows; ++r) total[r] = out[t * out_stride + r];
    for (int b = 0; b < n_blocks; ++b) {
      const auto& w = panel[b];
      const auto& x = tile[b];
      float acc[kPanelRows] = {};
      if constexpr (F::kHasMin) {
        const int16_t* neg = F::kGroup == 16 ? x.neg_pairs16[t] : x.neg_pairs32[t];
        for (int r = 0; r < kPanelRows; ++r) {
          int32_t sum = 0;
          for (int g = 0; g < kGroups; ++g) sum += w.min[g / 2][r][g % 2] * neg[g];
          acc[r] = w.dmin[r] * static_cast<float>(sum);
        }
      }
      for (int g = 0; g < kGroups; ++g) {
        int32_t sum[kPanelRows] = {};
        if constexpr (F::kOffsetShift >= 0) {
          const int32_t neg = F::kGroup == 16 ? x.neg_sum16[g][t] : x.neg_sum32[g][t];
          for (int32_t& s : sum) s = neg * (1 << F::kOffsetShift);
        }
        const int at = g * F::kGroup;
        dot_panel<F::kMaxCode>(w.q + at / 4, x.q[at / 32][t] + at % 32, F::kGroup, sum);
        for (int r = 0; r < kPanelRows; ++r) acc[r] += static_cast<float>(sum[r]) * w.scale[g][r];
      }
      for (int r = 0; r < kPanelRows; ++r) total[r] += acc[r] * x.d[t];
    }
    for (int r = 0; r < n_rows; ++r) out[t * out_stride + r] = total[r];
  }
}

}  // namespace nibble::quant::NIBBLE_ISA
