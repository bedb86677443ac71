// What this machine can read at most, measured: the roof that generation is held against.
#pragma once

#include "core/base/error.h"

namespace nibble::cli {

// Bytes per second that n_threads read together from memory, each its own run of huge pages in
// address order; the best of several rounds. Takes about half a second. Fails with kOutOfMemory.
Result<double> measure_read_bandwidth(int n_threads);

// Bytes of this process that were in memory at most, since the last reset.
uint64_t peak_resident_bytes();
void reset_peak_resident_bytes();

}  // namespace nibble::cli
