// The value grids of the i-quants, a value in each byte, the first of an entry in the lowest one:
// magnitudes where the format has signs, else codes that kernels multiply. Data, the same for every
// instruction set; its source is quant/codebooks/.
#pragma once

#include <cstdint>

namespace nibble::quant {

template <class Entry, int kEntries>
struct Table {
  Entry at[kEntries];
};

extern const Table<uint64_t, 2048> kIq1Grid;    // 8 g + 16, g in -1..1; IQ1_S and IQ1_M
extern const Table<uint64_t, 1024> kIq2sGrid;   // 8, 25, 43
extern const Table<uint64_t, 512> kIq2xsGrid;   // the same
extern const Table<uint64_t, 256> kIq2xxsGrid;  // the same
extern const Table<uint32_t, 512> kIq3sGrid;    // 1, 3, .. 15
extern const Table<uint32_t, 256> kIq3xxsGrid;  // 4, 12, .. 62

}  // namespace nibble::quant
