// Attention of many queries to one chunk of keys. Queries stand in lanes: scores and weighted
// values are outer products of a broadcast key or value with a vector of queries, the softmax needs
// no sums across lanes, and each query's sums run over its keys in order, whatever else is in the
// tile.
#include "core/ops/kernels/prompt_tile.h"

namespace nibble::kernels::NIBBLE_ISA {
namespace {

// Scores -> weights e^(score - max); what the sums so far must be multiplied by -> keep.
void soften(const PromptTile& tile, int n_keys, F* keep) {
  const PromptChunk& c = tile.c;
  for (int v = 0; v < kVectors; ++v) {
    const int row = tile.row + v * kLanes;
    const F before = load(c.max + row), max = finish_scores(tile, v, n_keys);
    keep[v] = exp(before - max);
    F sum = load(c.sum + row) * keep[v];
    for (int key = 0; key < n_keys; ++key) {
      float* at = tile.scores(key) + v * kLanes;
      const F weight = exp(load(at) - max);
      sum += weight;
      store(at, weight);
    }
    store(c.max + row, max);
    store(c.sum + row, sum);
  }
}

// out[i .. i + N) = out * keep + weights . v; Guarded: a weight of zero adds nothing even to what
// is not finite.
template <int N, bool Guarded>
void add_values(const PromptTile& tile, int i, int n_keys, const F* keep) {
  const int stride = tile.c.value_stride;
  const float* values = tile.c.values + i;
  F sums[N][kVectors];
  for (int j = 0; j < N; ++j)
    for (int v = 0; v < kVectors; ++v) sums[j][v] = load(tile.out(i + j) + v * kLanes) * keep[v];
  for (int key = 0; key < n_keys; ++key, values += stride) {
    F weight[kVectors];
    for (int v = 0; v < kVectors; ++v) weight[v] = load(tile.scores(key) + v * kLanes);
    for (int j = 0; j < N; ++j) {
      const F broadcast = all(values[j]);
      for (int v = 0; v < kVectors; ++v) {
        const F next = fma(weight[v], broadcast, sums[j][v]);
        sums[j][v] = !Guarded ? next : weight[v] == all(0) ? sums[j][v] : next;
      }
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

// A matrix of 4 by 4 in registers.
struct Square {
  typedef float Row __attribute__((vector_size(16)));
  Row row[4];

  void load_row(int i, const float* p, float scale) {
    std::memcpy(&row[i], p, sizeof(Row));
    row[i] *= scale;
  }
  void scale_row(int i, float scale) { row[i] *= scale; }
  void store_row(int i, float* p) const { std::memcpy(p, &row[i], sizeof(Row)); }
  void transpose() {
    const Row a = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
    const Row b = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
    const Row c = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
    const Row d = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
    row[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    row[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    row[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    row[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
  }
};

}  // namespace

void rows_to_tile(const float* const* rows, const float* scales, int d, float* tile) {
  // Copies: as far as the compiler knows, a store to the tile may change what these point at.
  const float* const from[4] = {rows[0], rows[1], rows[2], rows[3]};
  const float by[4] = {scales[0], scales[1], scales[2], scales[3]};
  int i = 0;
  for (; i + 4 <= d; i += 4) {
    Square x;
    for (int r = 0; r < 4; ++r) x.load_row(r, from[r] + i, by[r]);
    x.transpose();
    for (int k = 0; k < 4; ++k) x.store_row(k, tile + (i + k) * kQueryRows);
  }
  for (; i < d; ++i)
    for (int r = 0; r < 4; ++r) tile[i * kQueryRows + r] = rows[r][i] * scales[r];
}

void tile_to_rows(const float* tile, const float* scales, int d, float* const* rows) {
  int i = 0;
  for (; i + 4 <= d; i += 4) {
    Square x;
    for (int k = 0; k < 4; ++k) x.load_row(k, tile + (i + k) * kQueryRows, 1);
    x.transpose();
    for (int r = 0; r < 4; ++r) {
      x.scale_row(r, scales[r]);
      x.store_row(r, rows[r] + i);
    }
  }
  for (; i < d; ++i)
    for (int r = 0; r < 4; ++r) rows[r][i] = tile[i * kQueryRows + r] * scales[r];
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

}  // namespace nibble::kernels::NIBBLE_ISA
