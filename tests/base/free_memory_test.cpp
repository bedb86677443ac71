#include "core/base/free_memory.h"

#include <doctest/doctest.h>

#include "tests/temporary_folder.h"

using nibble::free_memory;

namespace {

// A made-up /sys and /proc.
struct Machine {
  nibble::tests::TemporaryFolder root;
  Machine() { root.write("proc/meminfo", "MemTotal: 99 kB\nMemAvailable:   50 kB\n"); }
  void group(const std::string& name, std::string_view limit, std::string_view used) const {
    root.write("sys/fs/cgroup/" + name + "/memory.max", limit);
    root.write("sys/fs/cgroup/" + name + "/memory.stat", used);
  }
  uint64_t free() const { return free_memory(root.path()); }
};

}  // namespace

TEST_CASE("free memory: what the machine has available, where no group has less") {
  const Machine m;
  CHECK(m.free() == 50 * 1024);
  m.root.write("proc/self/cgroup", "0::/a");
  CHECK(m.free() == 50 * 1024);
  m.group("a", "max\n", "anon 4096\nfile 8192\n");
  CHECK(m.free() == 50 * 1024);
}

TEST_CASE("free memory: the least that a control group leaves, at any level") {
  const Machine m;
  m.root.write("proc/self/cgroup", "0::/a/b");
  m.group("", "40000\n", "anon 10000\nfile 8192\n");
  CHECK(m.free() == 30000);
  m.group("a/b", "20000\n", "anon 4096\n");
  CHECK(m.free() == 20000 - 4096);
  m.group("a", "10000\n", "anon 4096\n");
  CHECK(m.free() == 10000 - 4096);
  m.group("a", "1000\n", "anon 4096\n");
  CHECK(m.free() == 0);
}

TEST_CASE("free memory: control groups of the first version") {
  const Machine m;
  m.root.write("proc/self/cgroup", "7:cpu:/x\n4:memory:/a");
  m.root.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "20000\n");
  m.root.write("sys/fs/cgroup/memory/a/memory.stat", "rss 1\ntotal_cache 7\ntotal_rss 5000\n");
  CHECK(m.free() == 15000);
  m.root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  m.root.write("sys/fs/cgroup/memory/memory.stat", "total_rss 900000\n");
  CHECK(m.free() == 15000);
}
