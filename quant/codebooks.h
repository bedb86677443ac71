// The value grids of the i-quants, as the codes that kernels multiply: a value v stands as
// v + 2^offset in one byte, the first value of an entry in the lowest byte. Data, the same for
// every instruction set; its source is quant/codebooks/.
#pragma once

#include <cstdint>

namespace nibble::quant {

template <class Entry, int kEntries>
struct Table {
  Entry at[kEntries];
};

extern const Table<uint64_t, 2048> kIq1Grid;    // 8 g + 16, g in -1..1; IQ1_S and IQ1_M
extern const Table<uint64_t, 1024> kIq2sGrid;   // g + 64, g in 8, 25, 43
extern const Table<uint64_t, 512> kIq2xsGrid;   // the same
extern const Table<uint64_t, 256> kIq2xxsGrid;  // the same
extern const Table<uint32_t, 512> kIq3sGrid;    // g + 16, g in 1, 3, .. 15
extern const Table<uint32_t, 256> kIq3xxsGrid;  // g + 64, g in 4, 12, .. 62

}  // namespace nibble::quant
