// Spends a budget of bytes: each item takes one of its options so that all together lose least.
// Greedy along the lower convex hulls, which is Lagrange's choice, then whatever still fits (the
// multiple-choice knapsack's usual approximation: Sinha and Zoltners 1979).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nibble {

struct AllocationOption {
  uint64_t n_bytes = 0;
  double loss = 0;
};
using AllocationItem = std::vector<AllocationOption>;  // one at least, in any order

// The index of each item's option. The smallest options must fit the budget together.
std::vector<size_t> allocate(std::span<const AllocationItem> items, uint64_t budget);

}  // namespace nibble
