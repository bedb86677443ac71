// Rotary position embedding. Su 2021, arXiv:2104.09864.
#pragma once

#include <vector>

namespace nibble {

enum class RopePairs {
  kAdjacent,  // (2i, 2i + 1): Llama's own order, GGUF's NORM
  kHalves,    // (i, i + n_rot / 2): GPT-NeoX, GGUF's NEOX
};

// theta of pair i at position p = p * inv_freq[i]; then (x, y) -> m * (x cos - y sin, x sin + y
// cos).
struct Rope {
  RopePairs pairs = RopePairs::kAdjacent;
  int n_rot = 0;                 // rotated values of each head; the rest stays
  int first = 0;                 // index of the first rotated value in a head
  std::vector<double> inv_freq;  // [n_rot / 2]
  float magnitude = 1.0f;        // m
};

// cos and sin of one position for all pairs, times m: table [n_rot], in the order that rope_rotate
// reads.
void rope_table(const Rope& rope, int position, float* table);
// Rotates n_head heads of d_head values each, in place, by a table of rope_table.
void rope_rotate(const Rope& rope, const float* table, float* heads, int n_head, int d_head);

}  // namespace nibble
