// BF16 panels with the bf16 dot unit (AVX512_BF16): rows in lanes, pairs of weights times a token's
// pair as the broadcast operand, added in f32. The unit takes denormals as zero and rounds each sum
// once to nearest.
#pragma once

#include <immintrin.h>

#include "quant/isa/avx512.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

// The instruction is written out: the processor is asked for it apart from the instruction set.
[[gnu::always_inline]] inline void dot_bf16_broadcast(__m512& acc, __m512i w, const uint16_t* a) {
  asm("vdpbf16ps %2%{1to16%}, %1, %0"
      : "+v"(acc)
      : "v"(w), "m"(*reinterpret_cast<const uint16_t(*)[2]>(a)));
}

inline size_t bf16_panel_bytes(int n_cols) { return sizeof(PanelBf16) * ((n_cols + 31) / 32); }

inline void expand_bf16_block(Simd::Rows rows, size_t at, PanelBf16& out) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    __m512i pairs[4];
    Simd::transpose(rows, at + 16 * i, pairs);
    for (int k = 0; k < 4; ++k) Simd::store(out.q[4 * i + k], pairs[k]);
  }
}

inline void expand_bf16(const std::byte* w, size_t row_bytes, int n_rows, int n_cols,
                        std::byte* panel) {
  auto* out = reinterpret_cast<PanelBf16*>(panel);
  const std::byte* rows[kPanelRows];
  for (int r = 0; r < kPanelRows; ++r) rows[r] = w + (r < n_rows ? r : n_rows - 1) * row_bytes;
  const int n_blocks = n_cols / 32;
  for (int b = 0; b < n_blocks; ++b) expand_bf16_block(rows, b * size_t{64}, out[b]);
  if (n_cols % 32 == 0) return;
  alignas(64) std::byte last[kPanelRows][64] = {};
  for (int r = 0; r < kPanelRows; ++r) {
    std::memcpy(last[r], rows[r] + n_blocks * size_t{64}, 2 * (n_cols % 32));
    rows[r] = last[r];
  }
  expand_bf16_block(rows, 0, out[n_blocks]);
}

template <int T>
void multiply_bf16_tokens(const PanelBf16* panel, const TileBf16* tile, int n_blocks, int from,
                          __mmask16 rows, float* out, size_t out_stride) {
  __m512 acc[T];
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) acc[t] = _mm512_maskz_loadu_ps(rows, out + t * out_stride);
  const uint16_t* x = tile->q[from];  // one address for all tokens: with one each g++ spills
  for (int b = 0; b < n_blocks; ++b, x += sizeof(TileBf16) / 2) {
#pragma GCC unroll 16
    for (int k = 0; k < 16; ++k) {
      const __m512i w = _mm512_load_si512(panel[b].q[k]);
#pragma GCC unroll 16
      for (int t = 0; t < T; ++t) dot_bf16_broadcast(acc[t], w, x + 32 * t + 2 * k);
    }
  }
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) _mm512_mask_storeu_ps(out + t * out_stride, rows, acc[t]);
}

inline void multiply_bf16(const std::byte* panel, int n_rows, int n_cols, const std::byte* tile,
                          int n_tokens, float* out, size_t out_stride) {
  const auto rows = static_cast<__mmask16>((1u << n_rows) - 1);
  for_tokens<kTileTokens>(n_tokens, [&](int t, auto n) {
    multiply_bf16_tokens<decltype(n)::value>(
        reinterpret_cast<const PanelBf16*>(panel), reinterpret_cast<const TileBf16*>(tile),
        (n_cols + 31) / 32, t, rows, out + t * out_stride, out_stride);
  });
}

inline bool has_bf16_dot() { return __builtin_cpu_supports("avx512bf16"); }

inline constexpr PanelKernels kBf16Panel{bf16_panel_bytes, expand_bf16, multiply_bf16,
                                         has_bf16_dot};

}  // namespace nibble::quant::NIBBLE_ISA
