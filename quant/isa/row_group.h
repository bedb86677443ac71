// What row products share on every instruction set: the prefetch pointer of a row group, and how
// many tokens a call has. kTokens: 1 keeps the sums in registers, 0 takes as many as the call has.
#pragma once

#include <cstddef>

#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

// Asks for the kBytes bytes at p.
inline constexpr int kPrefetch = 16384;  // beyond the row group; into L2, as L1 would not hold it
template <int kBytes>
[[gnu::always_inline]] inline void prefetch_run(const std::byte* p) {
#pragma GCC unroll 16
  for (int i = 0; i < kBytes; i += 64) __builtin_prefetch(p + i, 0, 2);
}

template <int kTokens>
inline int n_tokens_of(const RowProduct& p) {
  return kTokens ? kTokens : p.n_tokens;
}
template <int kTokens>
inline constexpr int kMostTokens = kTokens ? kTokens : kRowTokens;

}  // namespace nibble::quant::NIBBLE_ISA
