#include "core/ops/rope.h"

#include <cmath>
#include <cstddef>

#include "core/base/assert.h"

namespace nibble {

void rope_table(const Rope& rope, int position, float* table) {
  const int n_pairs = rope.n_rot / 2;
  NIBBLE_ASSERT(rope.inv_freq.size() == static_cast<size_t>(n_pairs));
  for (int i = 0; i < n_pairs; ++i) {
    const double theta = position * rope.inv_freq[i];
    table[2 * i] = static_cast<float>(rope.magnitude * std::cos(theta));
    table[2 * i + 1] = static_cast<float>(rope.magnitude * std::sin(theta));
  }
}

void rope_rotate(const Rope& rope, const float* table, float* heads, int n_head, int d_head) {
  const int n_pairs = rope.n_rot / 2;
  const bool adjacent = rope.pairs == RopePairs::kAdjacent;
  const int step = adjacent ? 2 : 1, apart = adjacent ? 1 : n_pairs;
  NIBBLE_ASSERT(rope.first + rope.n_rot <= d_head);
  for (int h = 0; h < n_head; ++h) {
    float* x = heads + static_cast<size_t>(h) * d_head + rope.first;
    for (int i = 0; i < n_pairs; ++i) {
      const float c = table[2 * i], s = table[2 * i + 1];
      const float a = x[i * step], b = x[i * step + apart];
      x[i * step] = a * c - b * s;
      x[i * step + apart] = a * s + b * c;
    }
  }
}

}  // namespace nibble
