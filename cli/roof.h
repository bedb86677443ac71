// What this machine can do at most, measured: the roof that speeds are held against (Williams 2009,
// doi:10.1145/1498765.1498785).
#pragma once

#include "core/base/error.h"
#include "core/base/json_fwd.h"

namespace nibble::cli {

// A second: with one thread, and with all of them.
struct Rate {
  double one = 0, all = 0;
};
struct Roof {
  Rate read_bytes;  // read from memory, each thread its own run of huge pages in address order
  Rate macs;        // 8-bit multiply-adds of the instruction set in use
};

// The best of several rounds; takes about a second. Fails with kOutOfMemory.
Result<Roof> measure_roof(int n_threads);
Json to_json(const Roof& roof);

// Bytes of this process that were in memory at most, since the last reset.
uint64_t peak_resident_bytes();
void reset_peak_resident_bytes();

}  // namespace nibble::cli
