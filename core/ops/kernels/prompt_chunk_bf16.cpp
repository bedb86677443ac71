// prompt_chunk with bf16 dot units: weights and values are rounded to bf16 and their products, two
// keys together, added up in f32. Scores stay f32 products: a rounding error of a large score is
// one of its weight's exponent.
#include "core/ops/kernels/prompt_tile.h"

#if defined(NIBBLE_ISA_avx512)
#pragma GCC target("avx512bf16")
#endif

namespace nibble::kernels::NIBBLE_ISA {
namespace {

#if defined(NIBBLE_ISA_avx512)

using Pairs = __m512i;

Pairs load_pairs(const uint32_t* p) { return _mm512_loadu_si512(p); }
Pairs all_pairs(uint32_t pair) { return _mm512_set1_epi32(static_cast<int>(pair)); }
F add_products(F sum, Pairs a, Pairs b) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }
// Lane i: a[i] in the lower half, b[i] in the upper, rounded to nearest even.
Pairs round_pairs(F a, F b) {
  const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(a));
  const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(b));
  return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}
// The two numbers of each lane as f32, added.
F sum_of_pairs(Pairs p) {
  return F(_mm512_castsi512_ps(_mm512_slli_epi32(p, 16))) +
         F(_mm512_castsi512_ps(_mm512_and_si512(p, _mm512_set1_epi32(-65536))));
}

uint32_t* weights(const PromptTile& tile, int pair) {
  return reinterpret_cast<uint32_t*>(tile.c.scores) + pair * kTileRows;
}

// Scores -> weights e^(score - max), two keys together, in place; what the sums so far must be
// multiplied by -> keep.
void soften(const PromptTile& tile, int n_keys, F* keep) {
  for (int v = 0; v < kVectors; ++v) {
    const int row = tile.row + v * kLanes;
    const F before = load(tile.c.max + row), max = finish_scores(tile, v, n_keys);
    keep[v] = exp(before - max);
    F sum = load(tile.c.sum + row) * keep[v];
    for (int i = 0; i < n_keys / 2; ++i) {
      const F a = exp(load(tile.scores(2 * i) + v * kLanes) - max);
      const F b = exp(load(tile.scores(2 * i + 1) + v * kLanes) - max);
      const Pairs pairs = round_pairs(a, b);
      sum += sum_of_pairs(pairs);
      _mm512_storeu_si512(weights(tile, i) + v * kLanes, pairs);
    }
    store(tile.c.max + row, max);
    store(tile.c.sum + row, sum);
  }
}

// sum + a . b, but a weight of zero adds nothing even to what is not finite; upper halves first, as
// the processor does.
F add_guarded_half(F sum, Pairs a, Pairs b, int half) {
  const Pairs mask = _mm512_set1_epi32(half), weight = _mm512_and_si512(a, mask);
  const Pairs value = _mm512_and_si512(b, mask);
  return _mm512_mask_mov_ps(sum, _mm512_test_epi32_mask(weight, weight),
                            add_products(sum, weight, value));
}
F add_guarded(F sum, Pairs a, Pairs b) {
  return add_guarded_half(add_guarded_half(sum, a, b, -65536), a, b, 65535);
}

// out[i .. i + N) = out * keep + weights . v
template <int N, bool Guarded>
void add_values(const PromptTile& tile, int i, int n_keys, const F* keep) {
  const int stride = tile.c.d_v;
  const uint32_t* values = tile.c.value_pairs + i;
  F sums[N][kVectors];
  for (int j = 0; j < N; ++j)
    for (int v = 0; v < kVectors; ++v) sums[j][v] = load(tile.out(i + j) + v * kLanes) * keep[v];
  for (int key = 0; key < n_keys / 2; ++key, values += stride) {
    const Pairs a = load_pairs(weights(tile, key)), b = load_pairs(weights(tile, key) + kLanes);
    for (int j = 0; j < N; ++j) {
      const Pairs pair = all_pairs(values[j]);
      sums[j][0] = Guarded ? add_guarded(sums[j][0], a, pair) : add_products(sums[j][0], a, pair);
      sums[j][1] = Guarded ? add_guarded(sums[j][1], b, pair) : add_products(sums[j][1], b, pair);
    }
  }
  for (int j = 0; j < N; ++j)
    for (int v = 0; v < kVectors; ++v) store(tile.out(i + j) + v * kLanes, sums[j][v]);
}

template <bool Guarded>
void add_all_values(const PromptTile& tile, int n_keys, const F* keep) {
  int i = 0;
  for (; i + kWide <= tile.c.d_v; i += kWide) add_values<kWide, Guarded>(tile, i, n_keys, keep);
  for (; i < tile.c.d_v; ++i) add_values<1, Guarded>(tile, i, n_keys, keep);
}

// [n, width] -> [n / 2, width]: numbers of rows 2i and 2i + 1 as pairs.
void pair_rows(const float* x, size_t stride, int n, int width, uint32_t* out) {
  for (int r = 0; r < n; r += 2, x += 2 * stride, out += width)
    map_lanes(width, [&](int i, int count) {
      const Pairs pairs = round_pairs(load_n(x + i, count), load_n(x + stride + i, count));
      _mm512_mask_storeu_epi32(out + i, static_cast<__mmask16>((1u << count) - 1), pairs);
    });
}

void pair_values(const float* values, int stride, int d, uint32_t* out) {
  pair_rows(values, stride, kChunkKeys, d, out);
}

void prompt_chunk(const PromptChunk& c) {
  for (int row = 0; row < c.n_rows; row += kTileRows) {
    const PromptTile tile(c, row);
    const int n_keys = tile.keys_seen();
    if (n_keys == 0) continue;
    for (int key = 0; key < n_keys; key += kWide) multiply_keys(tile, key);
    F keep[kVectors];
    soften(tile, n_keys, keep);
    c.wild_values ? add_all_values<true>(tile, n_keys, keep)
                  : add_all_values<false>(tile, n_keys, keep);
  }
}

constexpr PromptBf16 kFunctions = {pair_values, prompt_chunk};
#else
constexpr PromptBf16 kFunctions = {};
#endif

}  // namespace

constinit const PromptBf16 prompt_bf16 = kFunctions;

}  // namespace nibble::kernels::NIBBLE_ISA
