// Runs of 32 codes from the grids of the i-quants (quant/kernels/grid.h). What is computed for a
// whole block at once lies in memory, from where loads take it.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <utility>

#include "quant/isa/avx2_dot.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
inline constexpr bool kHasGrid = requires {
  F::kGrid;
};
template <class F>
inline constexpr bool kStoresIndices = requires(const typename F::Block& block, uint16_t* at) {
  F::store_indices(block, at);
};

// Four entries of eight weights at at(0) .. at(3), eight of four at at(0) .. at(7).
template <class At>
[[gnu::always_inline]] inline __m256i load_entries(const uint64_t* grid, At at) {
  const auto two = [&](int i) __attribute__((always_inline)) {
    const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(grid + at(i)));
    return _mm_castps_si128(
        _mm_loadh_pi(_mm_castsi128_ps(low), reinterpret_cast<const __m64*>(grid + at(i + 1))));
  };
  return _mm256_set_m128i(two(2), two(0));
}
template <class At>
[[gnu::always_inline]] inline __m256i load_entries(const uint32_t* grid, At at) {
  const auto four = [&](int i) __attribute__((always_inline)) {
    const auto entry = [&](int j) { return static_cast<int32_t>(grid[at(i + j)]); };
    return _mm_setr_epi32(entry(0), entry(1), entry(2), entry(3));
  };
  return _mm256_set_m128i(four(4), four(0));
}

// Of one block of one row.
template <class F>
struct GridNumbers {
  void take(const typename F::Block&) {}
};
template <class F>
requires kHasGrid<F>
struct GridNumbers<F> {
  using Block = typename F::Block;
  static constexpr int kPerRun = 32 / sizeof(F::kGrid.at[0]);  // entries
  alignas(32) uint16_t at[kStoresIndices<F> ? 8 * kPerRun : 1];
  alignas(32) uint8_t octets[32];

  void take(const Block& block) {
    if constexpr (kStoresIndices<F>) F::store_indices(block, at);
    F::store_octets(block, octets);
  }
  template <int kRun>
  [[gnu::always_inline]] auto run(const Block& block) const {
    const __m256i entries = load_entries(
        F::kGrid.at, [&](int i) __attribute__((always_inline)) {
          if constexpr (kStoresIndices<F>)
            return at[kPerRun * kRun + i];
          else
            return F::index(block, kPerRun * kRun + i);
        });
    const __m256i place =
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i octet = _mm256_shuffle_epi8(broadcast_four(octets + 4 * kRun), place);
    if constexpr (F::kHasSigns) {
      const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
      const __m256i minus = _mm256_cmpeq_epi8(_mm256_and_si256(octet, bit), bit);
      return RunAndSigns{entries, _mm256_or_si256(minus, _mm256_set1_epi8(1))};
    } else {
      return SignedRun{_mm256_add_epi8(entries, octet)};
    }
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
