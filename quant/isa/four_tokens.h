// Panel times tile, four tokens at a time, on what an instruction set adds for one block. The sums
// of all tokens stay in memory close to the core.
#pragma once

#include <cstring>

#include "quant/isa/for_tokens.h"
#include "quant/kernels/layout.h"
#include "quant/kernels/panel.h"

namespace nibble::quant::NIBBLE_ISA {

using Sums = float[kTileTokens][kPanelRows];

// One block of tokens first .. first + N - 1, added to their sums; the instruction set has it.
template <class F, int N, class Panel>
void add_block32(const Panel& panel, const Tile32& tile, int first, Sums& sums);
template <class F, int N, class Panel>
void add_block256(const Panel& panel, const Tile256& tile, int first, Sums& sums);

// p, of which the compiler then does not know that it was here before: g++ would load a block once
// for all tokens, and keep it on the stack.
template <class T>
[[gnu::always_inline]] inline const T* again(const T* p) {
  asm volatile("" : "+r"(p));
  return p;
}

inline void copy_row(const float* from, int n_rows, float* to) {
  if (n_rows == kPanelRows)
    std::memcpy(to, from, sizeof(float) * kPanelRows);
  else
    std::memcpy(to, from, sizeof(float) * n_rows);
}

// out += the products with each of n_blocks blocks: add(block, first token, number as a type,
// sums).
template <class Add>
[[gnu::always_inline]] inline void add_blocks(int n_blocks, int n_rows, int n_tokens, float* out,
                                              size_t out_stride, Add add) {
  alignas(64) Sums sums;
  for (int t = 0; t < n_tokens; ++t) {
    if (n_rows < kPanelRows) std::memset(sums[t], 0, sizeof sums[t]);
    copy_row(out + t * out_stride, n_rows, sums[t]);
  }
  for (int b = 0; b < n_blocks; ++b)
    for_tokens(
        n_tokens, [&](int t, auto n) __attribute__((always_inline)) { add(b, t, n, sums); });
  for (int t = 0; t < n_tokens; ++t) copy_row(sums[t], n_rows, out + t * out_stride);
}

template <class F, class Panel>
void multiply32(const Panel* panel, const Tile32* tile, int n_blocks, int n_rows, int n_tokens,
                float* out, size_t out_stride) {
  add_blocks(
      n_blocks, n_rows, n_tokens, out,
      out_stride, [&](int b, int t, auto n, Sums& sums) __attribute__((always_inline)) {
        add_block32<F, decltype(n)::value>(*again(panel + b), tile[b], t, sums);
      });
}

template <class F, class Panel>
void multiply256(const Panel* panel, const Tile256* tile, int n_blocks, int n_rows, int n_tokens,
                 float* out, size_t out_stride) {
  add_blocks(
      n_blocks, n_rows, n_tokens, out,
      out_stride, [&](int b, int t, auto n, Sums& sums) __attribute__((always_inline)) {
        add_block256<F, decltype(n)::value>(*again(panel + b), tile[b], t, sums);
      });
}

}  // namespace nibble::quant::NIBBLE_ISA
