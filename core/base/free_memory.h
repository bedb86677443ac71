// How much memory may still be taken. Linux only.
#pragma once

#include <cstdint>

namespace nibble {

// Bytes: by the machine, and by the control group (Linux cgroup-v2.rst), page cache counted as
// free. UINT64_MAX where nobody says.
uint64_t free_memory();

}  // namespace nibble
