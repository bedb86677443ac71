// The budget's spending against all possible ways of it.
#include "core/pipeline/allocate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace nibble;

namespace {

struct Sum {
  uint64_t n_bytes = 0;
  double loss = 0;
};

Sum sum_of(const std::vector<AllocationItem>& items, const std::vector<size_t>& chosen) {
  Sum sum;
  for (size_t i = 0; i < items.size(); ++i) {
    sum.n_bytes += items[i][chosen[i]].n_bytes;
    sum.loss += items[i][chosen[i]].loss;
  }
  return sum;
}

double least_loss(const std::vector<AllocationItem>& items, uint64_t budget) {
  double least = 1e30;
  std::vector<size_t> chosen(items.size());
  while (true) {
    const Sum sum = sum_of(items, chosen);
    if (sum.n_bytes <= budget) least = std::min(least, sum.loss);
    size_t i = 0;
    while (i < items.size() && ++chosen[i] == items[i].size()) chosen[i++] = 0;
    if (i == items.size()) return least;
  }
}

}  // namespace

TEST_CASE("a budget is kept, and little more is lost than must be") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<AllocationItem> items(6);
    uint64_t smallest = 0, largest = 0;
    for (AllocationItem& item : items) {
      const uint64_t n = 100 + random() % 900;
      for (const uint64_t bits : {2, 3, 4, 8})  // a bit more halves a loss twice
        item.push_back(
            {n * bits, 1000.0 * (1 + random() % 3) / static_cast<double>(1 << 2 * bits)});
      smallest += 2 * n;
      largest += 8 * n;
    }
    const uint64_t budget = smallest + random() % (largest - smallest);
    const Sum sum = sum_of(items, allocate(items, budget));
    CHECK(sum.n_bytes <= budget);
    CHECK(sum.loss <= 2 * least_loss(items, budget) + 1e-9);
  }
}

TEST_CASE("an option that costs more and saves nothing is never taken, all the rest is") {
  const std::vector<AllocationItem> items = {{{10, 1.0}, {20, 1.0}, {40, 0.25}}, {{5, 0.5}}};
  CHECK(allocate(items, 15) == std::vector<size_t>{0, 0});
  CHECK(allocate(items, 44) == std::vector<size_t>{0, 0});
  CHECK(allocate(items, 45) == std::vector<size_t>{2, 0});
}
