// How many threads are worth starting: one for each physical core that this process may use, the
// slow cores of a hybrid processor left out, and no more than the control group's share of
// processor time.
//
// Sources: Linux Documentation/admin-guide/cputopology.rst (thread_siblings_list, core_cpus_list),
// cgroup-v2.rst (cpu.max), scheduler/sched-bwc.rst (cpu.cfs_quota_us), and sysfs cpu_capacity,
// cpufreq and /sys/devices/cpu_core/cpus for hybrid parts.
#include "core/base/default_threads.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/control_groups.h"
#include "core/base/thread_pool.h"

namespace nibble {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

double number(const std::string& text, double otherwise) {
  double value = otherwise;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() ? value : otherwise;
}

std::set<int> allowed_cpus() {
  std::set<int> cpus;
  // A machine may have more processors than a cpu_set_t holds.
  for (int n = 1024; n <= 1 << 20 && cpus.empty(); n *= 4) {
    cpu_set_t* set = CPU_ALLOC(n);
    const size_t bytes = CPU_ALLOC_SIZE(n);
    if (set && sched_getaffinity(0, bytes, set) == 0)
      for (int cpu = 0; cpu < n; ++cpu)
        if (CPU_ISSET_S(cpu, bytes, set)) cpus.insert(cpu);
    CPU_FREE(set);
  }
  return cpus;
}

// How fast a processor is beside its neighbours: the kernel's own measure, or its highest
// frequency; 0 where neither is known.
double speed(const std::string& root, int cpu) {
  const std::string folder = root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu);
  if (const double capacity = number(first_line(folder + "/cpu_capacity"), 0)) return capacity;
  return number(first_line(folder + "/cpufreq/cpuinfo_max_freq"), 0);
}

// The control groups' limit in processors; 0: none.
double quota(const std::string& root) {
  double least = 0;
  const auto limit = [&](double n) {
    if (n > 0) least = least > 0 ? std::min(least, n) : n;
  };
  visit_control_groups(root, "cpu", [&](const std::string& folder) {
    std::istringstream max(first_line(folder + "/cpu.max"));  // "200000 100000" or "max 100000"
    std::string share, period;
    if (max >> share >> period) limit(number(share, 0) / number(period, 1));
    limit(number(first_line(folder + "/cpu.cfs_quota_us"), 0) /
          number(first_line(folder + "/cpu.cfs_period_us"), 1e5));
  });
  return least;
}

}  // namespace

int worthwhile_threads(const std::string& root, const std::set<int>& cpus) {
  double fastest = 0;
  for (const int cpu : cpus) fastest = std::max(fastest, speed(root, cpu));
  const std::string fast_cpus =
      first_line(root + "/sys/devices/cpu_core/cpus");  // hybrid Intel parts
  std::set<std::string> cores;
  for (const int cpu : cpus) {
    // Cores below two thirds of the fastest are another kind.
    if (speed(root, cpu) < fastest * 2 / 3) continue;
    if (!fast_cpus.empty() && !list_has(fast_cpus, cpu)) continue;
    const std::string topology =
        root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    std::string siblings = first_line(topology + "core_cpus_list");
    if (siblings.empty()) siblings = first_line(topology + "thread_siblings_list");
    cores.insert(siblings.empty() ? "cpu " + std::to_string(cpu) : siblings);
  }
  int n = static_cast<int>(cores.empty() ? cpus.size() : cores.size());
  if (const double most = quota(root); most > 0) n = std::min(n, static_cast<int>(most + 0.5));
  return std::max(n, 1);
}

bool list_has(std::string_view list, int cpu) {
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), part.size() + 1));
    int first = -1, last = -1;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), first);
    last = first;
    if (read.ptr != part.data() + part.size() && *read.ptr == '-')
      std::from_chars(read.ptr + 1, part.data() + part.size(), last);
    if (first >= 0 && first <= cpu && cpu <= last) return true;
  }
  return false;
}

int default_threads() {
  const std::set<int> cpus = allowed_cpus();
  if (cpus.empty()) return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return worthwhile_threads("", cpus);
}

}  // namespace nibble
