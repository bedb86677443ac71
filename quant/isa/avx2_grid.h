// Runs of 32 codes from the grids of the i-quants.
#pragma once

#include <type_traits>

#include "quant/isa/avx2_dot.h"
#include "quant/kernels/grid.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
inline constexpr bool kHasGrid = requires {
  F::kGrid;
};

struct NoNumbers {};
template <class F>
using NumbersOf = std::conditional_t<kHasGrid<F>, GridNumbers<F>, NoNumbers>;

template <class F, int kRun>
[[gnu::always_inline]] inline auto grid_run(const typename F::Block& block,
                                            const GridNumbers<F>& numbers) {
  const __m256i entries = load_entries(
      F::kGrid.at, [&](int i) __attribute__((always_inline)) {
        return numbers.index(block, numbers.kPerRun * kRun + i);
      });
  const __m256i octets = spread_octets(numbers.octets + 4 * kRun);
  if constexpr (F::kHasSigns)
    return RunAndSigns{entries, signs_of_bits(octets)};
  else
    return SignedRun{_mm256_add_epi8(entries, octets)};
}

}  // namespace nibble::quant::NIBBLE_ISA
