// Tiles of few tokens times rows as they stand in the file, two rows at a time: the sums of a
// panel, which are of integers within a block and then go block by block, without the time that
// expanding takes and with rows that stream from memory as in row products.
#pragma once

#include <immintrin.h>

#include "quant/isa/avx2_gemv256.h"
#include "quant/isa/avx2_tile.h"

namespace nibble::quant::NIBBLE_ISA {

// Whole numbers of kTokens tokens and two rows, each the sum of a vector's lanes.
template <int kTokens>
using Dots = __m256i[kTokens][2];

// The sums within each half of dots, in lane 2 t + i for token t and row i: of lower halves, then
// of upper ones.
struct HalfSums {
  __m256i v[2];
};
template <int kTokens>
[[gnu::always_inline]] inline HalfSums sums_of_halves(const Dots<kTokens>& dots) {
  const auto of_two = [&](int t, int u) __attribute__((always_inline)) {
    return _mm256_hadd_epi32(_mm256_hadd_epi32(dots[t][0], dots[t][1]),
                             _mm256_hadd_epi32(dots[u][0], dots[u][1]));
  };
  const __m256i first = of_two(0, kTokens > 1 ? 1 : 0);
  const __m256i last = kTokens > 2 ? of_two(kTokens > 2 ? 2 : 0, kTokens - 1) : first;
  return {_mm256_permute2x128_si256(first, last, 0x20),
          _mm256_permute2x128_si256(first, last, 0x31)};
}

// d of token t in lanes 2 t and 2 t + 1.
inline __m256 for_two_rows(const float (&d)[kTileTokens]) {
  return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_load_ps(d)),
                                  _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

// total: of token t and row i in lane 2 t + i.
template <int kTokens>
inline void write_two_rows(__m256 total, const TileProduct& p, int first, int second) {
  alignas(32) float sums[8];
  _mm256_store_ps(sums, total);
  for (int t = 0; t < kTokens; ++t) {
    p.out[t * p.out_stride + first] = sums[2 * t];
    p.out[t * p.out_stride + second] = sums[2 * t + 1];
  }
}

// Blocks of two rows. take(b): in time before dot(b), which gives each row's d, dmin. minima: only
// of formats that have them.
template <class F, int kTokens, bool = kInTwos<F>>
struct TwoBlocks {
  using Block = typename F::Block;
  TwoRows<F> rows;
  const Tile256* tiles;

  TwoBlocks(const TwoRows<F>& of, const Tile256* x) : rows(of), tiles(x) {}
  void take(int) {}
  [[gnu::always_inline]] __m128 dot(int b, Dots<kTokens>& codes, Dots<kTokens>& minima) {
    const Tile256& tile = tiles[b];
    __m128 factors[2];
    for (int i = 0; i < 2; ++i) {
      const BlockWeights<F> weights(rows.block(i, b));
#pragma GCC unroll 4
      for (int t = 0; t < kTokens; ++t) {
        codes[t][i] = weights.dot(TileValues{tile, t});
        if constexpr (F::kHasMin) minima[t][i] = weights.dot_minima(TileValues{tile, t});
      }
      factors[i] = weights.factors;
    }
    return _mm_movelh_ps(factors[0], factors[1]);
  }
};
template <class F, int kTokens>
struct TwoBlocks<F, kTokens, true> {
  TwoRows<F> rows;
  const Tile256* tiles;
  TwoHeads<F> heads[2];
  __m128 factors[2];
  __m256i lane_minima[2][kTokens];  // a row in each lane of 128 bits

  TwoBlocks(const TwoRows<F>& of, const Tile256* x) : rows(of), tiles(x) {}
  [[gnu::always_inline]] void take(int b) {
    const HeadsOf<F> of = rows.take_heads(b, heads[b % 2]);
    factors[b % 2] = of.factors;
    if constexpr (F::kHasMin)
      for (int t = 0; t < kTokens; ++t)
        lane_minima[b % 2][t] = of.dot_minima(tiles[b].neg_pairs32[t]);
  }
  [[gnu::always_inline]] __m128 dot(int b, Dots<kTokens>& codes, Dots<kTokens>& minima) {
    const Tile256& tile = tiles[b];
    rows.dot(
        b, heads[b % 2],
        [&](int t) {
          return TileValues{tile, t};
        },
        codes);
    if constexpr (F::kHasMin)
      for (int t = 0; t < kTokens; ++t) {
        const __m256i both = lane_minima[b % 2][t];
        minima[t][0] = _mm256_zextsi128_si256(_mm256_castsi256_si128(both));
        minima[t][1] = _mm256_zextsi128_si256(_mm256_extracti128_si256(both, 1));
      }
    return factors[b % 2];
  }
};

template <class F, int kTokens>
[[gnu::always_inline]] inline void gemm_two_rows256(const TileProduct& p, int first, int second) {
  const std::byte *w = p.w + first * p.row_bytes, *v = p.w + second * p.row_bytes;
  const auto* tiles = reinterpret_cast<const Tile256*>(p.tile);
  TwoBlocks<F, kTokens> blocks({{w, v}}, tiles);
  const std::byte* ahead = v + p.row_bytes + kPrefetch;
  constexpr int kBytes = 2 * sizeof(typename F::Block);
  const int n_blocks = p.n_cols / 256;
  __m256 total = _mm256_setzero_ps();  // of token t and row i in lane 2 t + i
  blocks.take(0);
  for (int b = 0; b < n_blocks; ++b) {
    prefetch_run<kBytes>(ahead + kBytes * b);
    if (b + 1 < n_blocks) blocks.take(b + 1);
    Dots<kTokens> codes, minima;
    const __m128 factors = blocks.dot(b, codes, minima);
    const __m256 of_tokens = for_two_rows(tiles[b].d);
    const auto add = [&](const Dots<kTokens>& sums, __m128 of_rows) __attribute__((always_inline)) {
      const __m256 twos = _mm256_castpd_ps(_mm256_broadcastsd_pd(_mm_castps_pd(of_rows)));
      const HalfSums halves = sums_of_halves<kTokens>(sums);
      total = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_add_epi32(halves.v[0], halves.v[1])),
                              _mm256_mul_ps(twos, of_tokens), total);
    };
    add(codes, _mm_shuffle_ps(factors, factors, 0x08));
    if constexpr (F::kHasMin) add(minima, _mm_shuffle_ps(factors, factors, 0x0d));
  }
  write_two_rows<kTokens>(total, p, first, second);
}

// Four blocks of 32 of two rows, at w[0] and w[1], n of which count: total (as above) += their
// products with tiles[0] .. tiles[n - 1].
template <class F, int kTokens>
[[gnu::always_inline]] inline void add_fours(const std::byte* const (&w)[2], const Tile32* tiles,
                                             int n, __m256& total) {
  static_assert(kSigned<F> && !F::kHasMin);
  const FourWeights<F> rows[2] = {FourWeights<F>(w[0]), FourWeights<F>(w[1])};
  HalfSums sums[2];  // of two blocks each
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    const Tile32 &first = tiles[2 * h < n ? 2 * h : 0],
                 &second = tiles[2 * h + 1 < n ? 2 * h + 1 : 0];
    Dots<kTokens> dots;
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t) {
      const __m256i low = load_lanes(first.q[t], second.q[t]),
                    high = load_lanes(first.q[t] + 16, second.q[t] + 16);
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i)
        dots[t][i] = add_two_products<F>(_mm256_setzero_si256(), rows[i].lo.v[h], low,
                                         rows[i].hi.v[h], high);
    }
    sums[h] = sums_of_halves<kTokens>(dots);
  }
  // Blocks 0 and 1, 2 and 3: of both rows.
  const __m256d d[2] = {_mm256_castps_pd(_mm256_unpacklo_ps(rows[0].factors, rows[1].factors)),
                        _mm256_castps_pd(_mm256_unpackhi_ps(rows[0].factors, rows[1].factors))};
  const auto add = [&]<int j>() __attribute__((always_inline)) {
    const __m256 of_rows = _mm256_castpd_ps(_mm256_permute4x64_pd(d[j / 2], 0x55 * (j % 2)));
    total = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[j / 2].v[j % 2]),
                            _mm256_mul_ps(of_rows, for_two_rows(tiles[j].d)), total);
  };
  add.template operator()<0>();
  if (n > 1) add.template operator()<1>();
  if (n > 2) add.template operator()<2>();
  if (n > 3) add.template operator()<3>();
}

template <class F, int kTokens>
[[gnu::always_inline]] inline void gemm_two_rows32(const TileProduct& p, int first, int second) {
  constexpr size_t kBlock = sizeof(typename F::Block), kStep = 4 * kBlock;
  const int n_fours = p.n_cols / 128, rest = p.n_cols / 32 % 4;
  const std::byte* w[2] = {p.w + first * p.row_bytes, p.w + second * p.row_bytes};
  const auto* tiles = reinterpret_cast<const Tile32*>(p.tile);
  const std::byte* ahead = w[1] + p.row_bytes + kPrefetch;
  __m256 total = _mm256_setzero_ps();
  for (int b = 0; b < n_fours; ++b, tiles += 4) {
    prefetch_run<2 * kStep>(ahead + 2 * kStep * b);
    add_fours<F, kTokens>({w[0] + kStep * b, w[1] + kStep * b}, tiles, 4, total);
  }
  if (rest) {
    alignas(32) std::byte last[2][kStep] = {};
    for (int i = 0; i < 2; ++i) std::memcpy(last[i], w[i] + kStep * n_fours, rest * kBlock);
    add_fours<F, kTokens>({last[0], last[1]}, tiles, rest, total);
  }
  write_two_rows<kTokens>(total, p, first, second);
}

template <class F>
void gemm_few(const TileProduct& p) {
  for_tokens(p.n_tokens, [&](int, auto n) {
    for (int r = 0; r < p.n_rows; r += 2) {
      const int second = r + 1 < p.n_rows ? r + 1 : r;
      if constexpr (F::format.block_len == 32)
        gemm_two_rows32<F, decltype(n)::value>(p, r, second);
      else
        gemm_two_rows256<F, decltype(n)::value>(p, r, second);
    }
  });
}

// Where it is faster: other blocks of 32 have too many sums for their weights, and codes of 2 and 3
// bits are expanded fast.
template <class F>
consteval FewTokens few_tokens() {
  if constexpr (F::format.block_len == 256)
    return {F::kMaxCode <= 7 && F::kGroup == 16 ? 2 : 4, gemm_few<F>};
  else if constexpr (kSigned<F>)
    return {4, gemm_few<F>};
  else
    return {};
}
template <class F>
inline constexpr FewTokens kFewTokens = few_tokens<F>();

}  // namespace nibble::quant::NIBBLE_ISA
