// What the roof of a machine is measured with.
#include <doctest/doctest.h>

#include <numeric>
#include <span>

#include "core/ops/kernels/kernels.h"
#include "tests/ops/ops_test.h"

using namespace nibble;
using namespace nibble::tests;

TEST_CASE("roof: reading takes in every byte") {
  std::mt19937_64 generator(1);
  std::vector<uint64_t> words(1024);
  for (uint64_t& word : words) word = generator();
  const uint64_t sum = std::accumulate(words.begin(), words.end(), uint64_t{0});
  on_each_isa([&] {
    CHECK(kernels::peak_read(std::as_bytes(std::span(words)).data(), 8 * words.size()) == sum);
  });
}
