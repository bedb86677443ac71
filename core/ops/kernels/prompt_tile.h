// What the kernels of prompt attention share: a register tile of queries, in lanes, against one
// chunk of keys. Each query's sums run over its keys in order, whatever else is in the tile.
#pragma once

#include "core/ops/kernels/functions.h"
#include "core/ops/kernels/outer.h"

namespace nibble::kernels::NIBBLE_ISA {

static_assert(kQueryRows % kTileRows == 0 && kChunkKeys % kWide == 0);

// Rows [row, row + kTileRows) of a chunk.
struct PromptTile {
  PromptTile(const PromptChunk& chunk, int first_row) : c(chunk), row(first_row) {
    const size_t whole = row / kQueryRows * kQueryRows, rest = row % kQueryRows;
    q_ = c.q + whole * c.d_k + rest;
    out_ = c.out + whole * c.d_v + rest;
  }
  const float* q(int i) const { return q_ + i * kQueryRows; }
  float* out(int i) const { return out_ + i * kQueryRows; }
  float* scores(int key) const { return c.scores + key * kTileRows; }

  // Keys of the chunk that these rows need: none where all are hidden. Positions rise with rows.
  int keys_seen() const {
    const int seen = static_cast<int>(c.last[row + kTileRows - 1]) - c.position + 1;
    if (seen <= 0 || c.position + c.n_keys <= static_cast<int>(c.first[row])) return 0;
    const int whole = (seen + kWide - 1) / kWide * kWide;
    return whole < c.n_keys ? whole : c.n_keys;
  }

  const PromptChunk& c;
  int row;

 private:
  const float* q_;
  float* out_;
};

// scores[key .. key + kWide) = q . k
inline void multiply_keys(const PromptTile& tile, int key) {
  const int d = tile.c.d_k;
  const float* k = tile.c.keys + static_cast<size_t>(key) * d;
  F sums[kWide][kVectors] = {};
  add_outer(tile.q(0), kQueryRows, k, d, d, sums);
  for (int j = 0; j < kWide; ++j)
    for (int v = 0; v < kVectors; ++v) store(tile.scores(key + j) + v * kLanes, sums[j][v]);
}

// Soft cap, ALiBi and mask of one key's scores.
inline F finish_score(const PromptChunk& c, F score, int row, float position) {
  if (c.slopes) score = fma(load(c.slopes + row), position - load(c.last + row), score);
  if (c.softcap > 0) score = c.softcap * tanh(score / c.softcap);
  if (!c.masked) return score;
  const F at = all(position), hidden = all(-__builtin_inff());
  return at < load(c.first + row) ? hidden : at > load(c.last + row) ? hidden : score;
}

// Finishes the scores of vector v; their maximum with those before.
inline F finish_scores(const PromptTile& tile, int v, int n_keys) {
  const PromptChunk& c = tile.c;
  const bool plain = !c.slopes && c.softcap <= 0 && !c.masked;
  const int row = tile.row + v * kLanes;
  F max = load(c.max + row);
  for (int key = 0; key < n_keys; ++key) {
    float* at = tile.scores(key) + v * kLanes;
    F score = load(at);
    if (!plain)
      store(at, score = finish_score(c, score, row, static_cast<float>(c.position + key)));
    max = bigger(score, max);
  }
  return max;
}

}  // namespace nibble::kernels::NIBBLE_ISA
