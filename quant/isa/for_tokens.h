// Tokens in groups whose size the compiler knows, so that their sums stay in registers.
#pragma once

namespace nibble::quant::NIBBLE_ISA {

// Calls add(first, number as a type) for tokens 0 .. n_tokens - 1, four at a time, then the rest.
template <int N>
struct Number {
  static constexpr int value = N;
};
template <class Add>
[[gnu::always_inline]] inline void for_tokens(int n_tokens, Add add) {
  int t = 0;
  for (; t + 4 <= n_tokens; t += 4) add(t, Number<4>{});
  if (n_tokens - t == 3) add(t, Number<3>{});
  if (n_tokens - t == 2) add(t, Number<2>{});
  if (n_tokens - t == 1) add(t, Number<1>{});
}

}  // namespace nibble::quant::NIBBLE_ISA
