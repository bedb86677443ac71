// What row products share on every instruction set: how many rows go together, the prefetch pointer
// of a row group, and how many tokens a call has. kTokens: 1 keeps the sums in registers, 0 takes
// as many as the call has.
#pragma once

#include <cstddef>

#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

// Whether x, x_bytes long, stays in L1 beside a row that streams through. Where unpacking is cheap
// rows then go one by one without a prefetch pointer: the processor's own prefetch follows one
// stream at the speed of memory, and requests beside it only take its places. Where x does not
// stay, rows share each part of it, and their streams need the pointer.
inline bool stays_in_l1(size_t x_bytes) { return x_bytes <= 12288; }

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
