// The parts of default_threads() that tests look at.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace nibble {

// Physical cores among cpus, as the files below root/sys and root/proc tell.
int worthwhile_threads(const std::string& root, const std::set<int>& cpus);
// Whether a kernel's list of processors, "0-3,8", has one.
bool list_has(std::string_view list, int cpu);

}  // namespace nibble
