// The sum of products of one of ARM's instruction sets against plain loops: all lengths that panels
// have, codes of 4 to 8 bits, the extremes among them. Prints what differs; 0 when nothing does.
#include <cstdio>
#include <random>

#include "quant/isa/neon_dot.h"

using namespace nibble::quant;

namespace {

template <int kMaxCode>
int differing(int n, std::mt19937& random) {
  uint8_t q[8][kPanelRows][4];
  int8_t a[32];
  const bool extreme = random() % 4 == 0;
  for (auto& column : q)
    for (auto& row : column)
      for (auto& code : row) code = extreme ? kMaxCode : random() % (kMaxCode + 1);
  for (auto& x : a)
    x = static_cast<int8_t>(extreme ? -127 : static_cast<int>(random() % 255) - 127);
  int32_t got[kPanelRows], want[kPanelRows];
  for (int r = 0; r < kPanelRows; ++r) {
    got[r] = want[r] = static_cast<int32_t>(random() % 10000) - 5000;
    for (int i = 0; i < n; ++i) want[r] += q[i / 4][r][i % 4] * a[i];
  }
  NIBBLE_ISA::dot_panel<kMaxCode>(q, a, n, got);
  int faults = 0;
  for (int r = 0; r < kPanelRows; ++r) faults += got[r] != want[r];
  if (faults > 0) std::printf("codes up to %d, %d of a row: %d rows differ\n", kMaxCode, n, faults);
  return faults;
}

}  // namespace

int main() {
  std::mt19937 random(1);
  int faults = 0;
  for (int round = 0; round < 500; ++round)
    for (const int n : {16, 32})
      faults += differing<15>(n, random) + differing<31>(n, random) + differing<63>(n, random) +
                differing<127>(n, random) + differing<128>(n, random) + differing<255>(n, random);
  return faults == 0 ? 0 : 1;
}
