#include "core/ops/rope.h"

#include <cmath>
#include <cstddef>

#include "core/base/assert.h"
#include "core/ops/kernels/kernels.h"

namespace nibble {

// Adjacent pairs: cos, sin, cos, sin ...; halves: all cosines, then all sines.
void rope_table(const Rope& rope, int position, float* table) {
  const int n_pairs = rope.n_rot / 2;
  const bool adjacent = rope.pairs == RopePairs::kAdjacent;
  NIBBLE_ASSERT(rope.inv_freq.size() == static_cast<size_t>(n_pairs));
  for (int i = 0; i < n_pairs; ++i) {
    const double theta = position * rope.inv_freq[i];
    table[adjacent ? 2 * i : i] = static_cast<float>(rope.magnitude * std::cos(theta));
    table[adjacent ? 2 * i + 1 : n_pairs + i] =
        static_cast<float>(rope.magnitude * std::sin(theta));
  }
}

void rope_rotate(const Rope& rope, const float* table, float* heads, int n_head, int d_head) {
  const int n_pairs = rope.n_rot / 2;
  NIBBLE_ASSERT(rope.first + rope.n_rot <= d_head);
  const kernels::OpsKernels& k = kernels::ops_kernels();
  const auto rotate = rope.pairs == RopePairs::kAdjacent ? k.rotate_adjacent : k.rotate_halves;
  for (int h = 0; h < n_head; ++h)
    rotate(table, heads + static_cast<size_t>(h) * d_head + rope.first, n_pairs);
}

}  // namespace nibble
