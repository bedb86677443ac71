#include "cli/roof.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "cli/output.h"
#include "core/base/free_memory.h"
#include "core/base/json.h"
#include "core/base/thread_pool.h"
#include "core/ops/kernels/kernels.h"

namespace nibble::cli {
namespace {

constexpr size_t kBytesPerThread = size_t{256}
                                   << 20;  // far more than any cache level of a core's share
constexpr int kRounds = 8;

class ProbeMemory {
 public:
  explicit ProbeMemory(size_t n_bytes) : n_bytes_(n_bytes) {
    data_ = mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ok()) madvise(data_, n_bytes, MADV_HUGEPAGE);
  }
  ~ProbeMemory() {
    if (ok()) munmap(data_, n_bytes_);
  }
  ProbeMemory(const ProbeMemory&) = delete;
  ProbeMemory& operator=(const ProbeMemory&) = delete;
  bool ok() const { return data_ != MAP_FAILED; }
  std::byte* part(int thread) const {
    return static_cast<std::byte*>(data_) + kBytesPerThread * static_cast<size_t>(thread);
  }

 private:
  void* data_;
  size_t n_bytes_;
};

// work(task, thread) of n_tasks tasks on all threads of the pool, in seconds: the best of kRounds.
template <class Work>
double best_seconds(ThreadPool& pool, int n_tasks, Work work) {
  double best_s = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const double start = now_s();
    pool.run(n_tasks, work);
    best_s = std::min(best_s, now_s() - start);
  }
  return best_s;
}

double read_rate(ThreadPool& pool, const ProbeMemory& memory) {
  constexpr int kPieces = 16;  // of each thread's part: one that is held up leaves some to others
  constexpr size_t kPiece = kBytesPerThread / kPieces;
  std::atomic<uint64_t> sink = 0;
  const double seconds = best_seconds(pool, pool.size() * kPieces, [&](int task, int) {
    sink = kernels::peak_read(memory.part(0) + kPiece * static_cast<size_t>(task), kPiece);
  });
  return static_cast<double>(kBytesPerThread) * pool.size() / seconds;
}

double mac_rate(ThreadPool& pool) {
  constexpr int kTasks = 16;  // for each thread
  constexpr int64_t kMacRounds = 100'000;
  std::atomic<int64_t> n_macs = 0;
  const double seconds = best_seconds(pool, pool.size() * kTasks, [&](int, int) {
    n_macs = kernels::peak_multiply_adds(kMacRounds);
  });
  return static_cast<double>(n_macs) * kTasks * pool.size() / seconds;
}

}  // namespace

Result<Roof> measure_roof(int n_threads) {
  const size_t n_bytes = kBytesPerThread * static_cast<size_t>(n_threads);
  const uint64_t free = free_memory();
  const ProbeMemory memory(n_bytes);
  if (!memory.ok() || n_bytes > free)
    return fail(ErrorKind::kOutOfMemory,
                "measuring the read bandwidth needs {} MiB of memory, {} MiB are free; fewer "
                "threads (-t) need less",
                n_bytes >> 20, free >> 20);
  ThreadPool one(1), all(n_threads);
  all.run(n_threads, [&](int task, int) { std::memset(memory.part(task), 1, kBytesPerThread); });
  return Roof{.read_bytes = {read_rate(one, memory), read_rate(all, memory)},
              .macs = {mac_rate(one), mac_rate(all)}};
}

Json to_json(const Roof& roof) {
  const auto billions = [](const Rate& rate) {
    return Json{{"one_thread", rate.one / 1e9}, {"all_threads", rate.all / 1e9}};
  };
  return {{"read_gigabytes_per_second", billions(roof.read_bytes)},
          {"gigamacs_per_second", billions(roof.macs)}};
}

uint64_t peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

void reset_peak_resident_bytes() {
  const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t ignored = write(fd, "5", 1);
  close(fd);
}

}  // namespace nibble::cli
