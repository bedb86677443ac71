// The grids of quant/codebooks.h in the order in which encoders search them. An entry is the sum of
// two halves, the first values and the last ones, each one of few combinations; what an entry costs
// is then the sum of two costs out of small tables. Entries with the same first half stand
// together.
#pragma once

#include <cstdint>

namespace nibble::quant {

// kCombos: how many combinations a half has. A half's number has its first value's place among the
// grid's values as its lowest digit. Runs are ordered by length, the longest first, and filled up
// with copies of their last entry to a multiple of kRunStep.
inline constexpr int kRunStep = 4;
template <int kEntries, int kCombos>
struct GridOrder {
  static constexpr int kFilled = kEntries + (kRunStep - 1) * kCombos;  // entries at most
  int n_runs;
  uint8_t first[kCombos];       // [run]: the number of its first half
  uint16_t begin[kCombos + 1];  // [run]: where its entries begin below; [n_runs]: where they end
  uint8_t second[kFilled];      // the numbers of their second halves
  uint16_t entry[kFilled];      // their places in the grid
};

extern const GridOrder<2048, 81> kIq1Order;
extern const GridOrder<1024, 81> kIq2sOrder;
extern const GridOrder<512, 81> kIq2xsOrder;
extern const GridOrder<256, 81> kIq2xxsOrder;
extern const GridOrder<512, 64> kIq3sOrder;
extern const GridOrder<256, 64> kIq3xxsOrder;

}  // namespace nibble::quant
