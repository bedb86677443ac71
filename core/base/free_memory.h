// How much memory may still be taken. Linux only.
#pragma once

#include <cstdint>
#include <string>

namespace nibble {

// Bytes: by the machine, and by the control groups on the way up (Linux cgroup-v2.rst,
// cgroup-v1/memory.rst), page cache counted as free. UINT64_MAX where nobody says. Below root/proc
// and root/sys.
uint64_t free_memory(const std::string& root = "");

}  // namespace nibble
