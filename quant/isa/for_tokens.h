// Tokens in groups whose size the compiler knows, so that their sums stay in registers.
#pragma once

#include "quant/format.h"

namespace nibble::quant::NIBBLE_ISA {

template <int N>
struct Number {
  static constexpr int value = N;
};

// Calls body(first token, number of tokens as a type) until n_tokens are done: by kMost, the rest
// by four and less, which costs little more than its share. Few bodies, as each costs seconds of
// compile time.
template <int kMost = 4, class Body>
[[gnu::always_inline]] inline void for_tokens(int n_tokens, Body body) {
  int t = 0;
  if constexpr (kMost == kTileTokens) {  // its first token is known, which saves registers
    if (n_tokens == kMost) return body(0, Number<kMost>{});
  } else if constexpr (kMost > 4) {
    for (; t + kMost <= n_tokens; t += kMost) body(t, Number<kMost>{});
  }
  for (; t + 4 <= n_tokens; t += 4) body(t, Number<4>{});
  if (n_tokens - t == 3) body(t, Number<3>{});
  if (n_tokens - t == 2) body(t, Number<2>{});
  if (n_tokens - t == 1) body(t, Number<1>{});
}

}  // namespace nibble::quant::NIBBLE_ISA
