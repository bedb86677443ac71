// Unpacks the grids of quant/codebooks/ at compile time.
#include "quant/codebooks.h"

#include <array>
#include <cstddef>

#include "quant/grid_orders.h"

namespace nibble::quant {
namespace {

// Each entry from its number: see scripts/make_codebooks.py.
template <class Entry, size_t kEntries, size_t kValues>
consteval Table<Entry, kEntries> unpack(const uint16_t (&packed)[kEntries],
                                        std::array<int, kValues> values, int scale, int offset) {
  Table<Entry, kEntries> table{};
  for (size_t e = 0; e < kEntries; ++e) {
    uint64_t entry = 0;
    size_t digits = packed[e];
    for (size_t i = 0; i < sizeof(Entry); ++i, digits /= kValues)
      entry |= static_cast<uint64_t>(scale * values[digits % kValues] + offset) << (8 * i);
    table.at[e] = static_cast<Entry>(entry);
  }
  return table;
}

// packed: as above; a half has kCombos combinations.
template <int kCombos, size_t kEntries>
consteval GridOrder<static_cast<int>(kEntries), kCombos> order(const uint16_t (&packed)[kEntries]) {
  int length[kCombos] = {};
  for (const unsigned number : packed) ++length[number % kCombos];
  GridOrder<static_cast<int>(kEntries), kCombos> sorted{};
  int n = 0;
  for (int wanted = static_cast<int>(kEntries); wanted > 0; --wanted)
    for (unsigned first = 0; first < kCombos; ++first) {
      if (length[first] != wanted) continue;
      sorted.first[sorted.n_runs] = static_cast<uint8_t>(first);
      sorted.begin[sorted.n_runs++] = static_cast<uint16_t>(n);
      for (size_t e = 0; e < kEntries; ++e)
        if (packed[e] % kCombos == first) {
          sorted.second[n] = static_cast<uint8_t>(packed[e] / kCombos);
          sorted.entry[n++] = static_cast<uint16_t>(e);
        }
      for (; n % kRunStep != 0; ++n) {
        sorted.second[n] = sorted.second[n - 1];
        sorted.entry[n] = sorted.entry[n - 1];
      }
      sorted.begin[sorted.n_runs] = static_cast<uint16_t>(n);
    }
  return sorted;
}

constexpr uint16_t kIq1[] = {
#include "quant/codebooks/iq1_s.inc"
};
constexpr uint16_t kIq2s[] = {
#include "quant/codebooks/iq2_s.inc"
};
constexpr uint16_t kIq2xs[] = {
#include "quant/codebooks/iq2_xs.inc"
};
constexpr uint16_t kIq2xxs[] = {
#include "quant/codebooks/iq2_xxs.inc"
};
constexpr uint16_t kIq3s[] = {
#include "quant/codebooks/iq3_s.inc"
};
constexpr uint16_t kIq3xxs[] = {
#include "quant/codebooks/iq3_xxs.inc"
};
constexpr std::array kThree = {8, 25, 43};

}  // namespace

constinit const Table<uint64_t, 2048> kIq1Grid =
    unpack<uint64_t>(kIq1, std::array{-1, 0, 1}, 8, 16);
constinit const Table<uint64_t, 1024> kIq2sGrid = unpack<uint64_t>(kIq2s, kThree, 1, 0);
constinit const Table<uint64_t, 512> kIq2xsGrid = unpack<uint64_t>(kIq2xs, kThree, 1, 0);
constinit const Table<uint64_t, 256> kIq2xxsGrid = unpack<uint64_t>(kIq2xxs, kThree, 1, 0);
constinit const Table<uint32_t, 512> kIq3sGrid =
    unpack<uint32_t>(kIq3s, std::array{1, 3, 5, 7, 9, 11, 13, 15}, 1, 0);
constinit const Table<uint32_t, 256> kIq3xxsGrid =
    unpack<uint32_t>(kIq3xxs, std::array{4, 12, 20, 28, 36, 44, 52, 62}, 1, 0);

constinit const GridOrder<2048, 81> kIq1Order = order<81>(kIq1);
constinit const GridOrder<1024, 81> kIq2sOrder = order<81>(kIq2s);
constinit const GridOrder<512, 81> kIq2xsOrder = order<81>(kIq2xs);
constinit const GridOrder<256, 81> kIq2xxsOrder = order<81>(kIq2xxs);
constinit const GridOrder<512, 64> kIq3sOrder = order<64>(kIq3s);
constinit const GridOrder<256, 64> kIq3xxsOrder = order<64>(kIq3xxs);

}  // namespace nibble::quant
