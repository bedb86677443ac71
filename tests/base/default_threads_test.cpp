#include "core/base/default_threads.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "core/base/thread_pool.h"

using nibble::worthwhile_threads;

namespace {

// A made-up /sys and /proc.
struct Machine {
  Machine()
      : root(std::filesystem::temp_directory_path() / ("nibble-cpus-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(root);
  }
  ~Machine() { std::filesystem::remove_all(root); }
  void file(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text << '\n';
  }
  void cpu(int i, const std::string& siblings, int capacity = 0) const {
    const std::string folder = "sys/devices/system/cpu/cpu" + std::to_string(i);
    file(folder + "/topology/core_cpus_list", siblings);
    if (capacity) file(folder + "/cpu_capacity", std::to_string(capacity));
  }
  int threads(const std::set<int>& cpus) const { return worthwhile_threads(root.string(), cpus); }
  std::filesystem::path root;
};

}  // namespace

TEST_CASE("default threads: siblings of a core count once") {
  Machine m;
  for (int i = 0; i < 8; ++i) m.cpu(i, std::to_string(i % 4) + "," + std::to_string(i % 4 + 4));
  CHECK(m.threads({0, 1, 2, 3, 4, 5, 6, 7}) == 4);
  CHECK(m.threads({0, 4}) == 1);
  CHECK(m.threads({0, 5}) == 2);
}

TEST_CASE("default threads: slow cores of a hybrid processor do not count") {
  Machine m;
  for (int i = 0; i < 4; ++i) m.cpu(i, i < 2 ? "0-1" : "2-3", 1024);
  for (int i = 4; i < 8; ++i) m.cpu(i, std::to_string(i), 600);
  CHECK(m.threads({0, 1, 2, 3, 4, 5, 6, 7}) == 2);
  CHECK(m.threads({4, 5, 6, 7}) == 4);  // only slow ones may be used: then these
}

TEST_CASE("default threads: the kernel's list of fast cores counts too") {
  Machine m;
  for (int i = 0; i < 6; ++i) m.cpu(i, std::to_string(i));
  m.file("sys/devices/cpu_core/cpus", "0-1,3");
  CHECK(m.threads({0, 1, 2, 3, 4, 5}) == 3);
}

TEST_CASE("default threads: no more than the control group grants, at any level") {
  Machine m;
  for (int i = 0; i < 8; ++i) m.cpu(i, std::to_string(i));
  const std::set<int> all = {0, 1, 2, 3, 4, 5, 6, 7};
  m.file("proc/self/cgroup", "0::/a/b");
  m.file("sys/fs/cgroup/a/b/cpu.max", "max 100000");
  CHECK(m.threads(all) == 8);
  m.file("sys/fs/cgroup/a/cpu.max", "300000 100000");
  CHECK(m.threads(all) == 3);
  m.file("sys/fs/cgroup/a/b/cpu.max", "30000 100000");
  CHECK(m.threads(all) == 1);
}

TEST_CASE("default threads: control groups of the first version") {
  Machine m;
  for (int i = 0; i < 8; ++i) m.cpu(i, std::to_string(i));
  m.file("proc/self/cgroup", "7:memory:/x\n4:cpu,cpuacct:/a");
  m.file("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1");
  m.file("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000");
  CHECK(m.threads({0, 1, 2, 3, 4, 5, 6, 7}) == 8);
  m.file("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "250000");
  CHECK(m.threads({0, 1, 2, 3, 4, 5, 6, 7}) == 3);
}

TEST_CASE("default threads: a machine that tells nothing") {
  Machine m;
  CHECK(m.threads({3, 5}) == 2);
  CHECK(nibble::default_threads() >= 1);
}

TEST_CASE("default threads: hybrid, siblings, a quota and a pinned process at once") {
  Machine m;  // four fast cores of two threads each, eight slow cores
  for (int i = 0; i < 8; ++i)
    m.cpu(i, std::to_string(i / 2 * 2) + "-" + std::to_string(i / 2 * 2 + 1));
  for (int i = 8; i < 16; ++i) m.cpu(i, std::to_string(i));
  m.file("sys/devices/cpu_core/cpus", "0-7");
  std::set<int> all;
  for (int i = 0; i < 16; ++i) all.insert(i);
  CHECK(m.threads(all) == 4);
  CHECK(m.threads({0, 1, 2, 8, 9}) == 2);
  CHECK(m.threads({8, 9, 10}) == 3);
  m.file("proc/self/cgroup", "0::/box");
  m.file("sys/fs/cgroup/box/cpu.max", "250000 100000");
  CHECK(m.threads(all) == 3);
  CHECK(m.threads({0, 1}) == 1);
}

TEST_CASE("default threads: a process pinned to one processor starts one thread") {
  int n = 0;
  std::thread pinned([&] {
    cpu_set_t set;
    REQUIRE(sched_getaffinity(0, sizeof(set), &set) == 0);
    int first = 0;
    while (!CPU_ISSET(first, &set)) ++first;
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    REQUIRE(sched_setaffinity(0, sizeof(set), &set) == 0);
    n = nibble::default_threads();
  });
  pinned.join();
  CHECK(n == 1);
}

TEST_CASE("default threads: lists of processors") {
  CHECK(nibble::list_has("0-3,8", 3));
  CHECK(nibble::list_has("0-3,8", 8));
  CHECK(!nibble::list_has("0-3,8", 4));
  CHECK(!nibble::list_has("", 0));
}
