#include "cli/roof.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "cli/output.h"
#include "core/base/thread_pool.h"

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
  char* part(int thread) const {
    return static_cast<char*>(data_) + kBytesPerThread * static_cast<size_t>(thread);
  }

 private:
  void* data_;
  size_t n_bytes_;
};

// Independent sums, so that no load waits for an addition.
uint64_t sum_words(const char* data, size_t n_bytes) {
  using Words = uint64_t __attribute__((vector_size(16)));
  Words sums[8] = {};
  for (size_t at = 0; at < n_bytes; at += sizeof sums)
    for (size_t i = 0; i < 8; ++i)
      sums[i] += *reinterpret_cast<const Words*>(data + at + i * sizeof(Words));
  Words all = {};
  for (const Words& sum : sums) all += sum;
  return all[0] + all[1];
}

}  // namespace

Result<double> measure_read_bandwidth(int n_threads) {
  const size_t n_bytes = kBytesPerThread * static_cast<size_t>(n_threads);
  const ProbeMemory memory(n_bytes);
  if (!memory.ok())
    return fail(ErrorKind::kOutOfMemory, "measuring the read bandwidth needs {} MiB of memory",
                n_bytes >> 20);
  ThreadPool pool(n_threads);
  pool.run(n_threads, [&](int task, int) { std::memset(memory.part(task), 1, kBytesPerThread); });
  volatile uint64_t sink = 0;
  double best_s = 1e9;
  constexpr int kPieces =
      16;  // of each thread's part: a thread that is held up leaves the rest to others
  for (int round = 0; round < kRounds; ++round) {
    const double start = now_s();
    pool.run_ranges(n_threads * kPieces, [&](int task, int) {
      constexpr size_t kPiece = kBytesPerThread / kPieces;
      sink = sum_words(memory.part(0) + kPiece * static_cast<size_t>(task), kPiece);
    });
    best_s = std::min(best_s, now_s() - start);
  }
  return static_cast<double>(n_bytes) / best_s;
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
