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

inline void store_rows(const Sums& sums, int n_rows, int n_tokens, float* out, size_t out_stride) {
  for (int t = 0; t < n_tokens; ++t)
    std::memcpy(out + t * out_stride, sums[t], sizeof(float) * n_rows);
}

template <class F, class Panel>
void multiply32(const Panel* panel, const Tile32* tile, int n_blocks, int n_rows, int n_tokens,
                float* out, size_t out_stride) {
  alignas(64) Sums sums = {};
  for (int b = 0; b < n_blocks; ++b)
    for_tokens(
        n_tokens, [&](int t, auto n) __attribute__((always_inline)) {
          add_block32<F, decltype(n)::value>(*again(panel + b), tile[b], t, sums);
        });
  store_rows(sums, n_rows, n_tokens, out, out_stride);
}

template <class F, class Panel>
void multiply256(const Panel* panel, const Tile256* tile, int n_blocks, int n_rows, int n_tokens,
                 float* out, size_t out_stride) {
  alignas(64) Sums sums = {};
  for (int b = 0; b < n_blocks; ++b)
    for_tokens(
        n_tokens, [&](int t, auto n) __attribute__((always_inline)) {
          add_block256<F, decltype(n)::value>(*again(panel + b), tile[b], t, sums);
        });
  store_rows(sums, n_rows, n_tokens, out, out_stride);
}

}  // namespace nibble::quant::NIBBLE_ISA
