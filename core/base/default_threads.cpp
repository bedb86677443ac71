// How many threads are worth starting: one for each physical core that this process may use.
#include <sched.h>

#include <algorithm>
#include <thread>

#include "core/base/thread_pool.h"

namespace nibble {

int default_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return std::max(1u, std::thread::hardware_concurrency());
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace nibble
