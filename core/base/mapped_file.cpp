#include "core/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/free_memory.h"
#include "core/base/huge_pages.h"
#include "core/base/memory_block.h"

namespace nibble {
namespace {

// What the signal handler searches: every live mapping. Written under g_slots_mutex, read by the
// handler without it.
struct Slot {
  std::atomic<const std::byte*> begin = nullptr;  // set last, cleared first
  std::atomic<size_t> size = 0;
  std::atomic<const char*> path = nullptr;
};
constexpr size_t kMaxMappings = 4096;
std::array<Slot, kMaxMappings> g_slots;
std::mutex g_slots_mutex;
std::atomic<ShrunkFileReport> g_report = nullptr;

Slot* claim_slot(const std::byte* begin, size_t size, const char* path) {
  const std::lock_guard lock(g_slots_mutex);
  const auto slot = std::ranges::find_if(g_slots, [](const Slot& s) { return !s.begin.load(); });
  if (slot == g_slots.end()) return nullptr;
  slot->size = size;
  slot->path = path;
  slot->begin = begin;
  return slot;
}

void on_bus_error(int signal, siginfo_t* info, void*) {
  const auto* address = static_cast<const std::byte*>(info->si_addr);
  for (const Slot& slot : g_slots) {
    const std::byte* begin = slot.begin.load();
    if (begin && address >= begin && address < begin + slot.size.load())
      g_report.load()(slot.path.load(), static_cast<uint64_t>(address - begin));
  }
  std::signal(signal,
              SIG_DFL);  // not ours: the faulting instruction runs again and ends the program
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<Descriptor> open_regular(const std::filesystem::path& path, struct stat& status) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    return fail(absent ? ErrorKind::kNotFound : ErrorKind::kInvalidInput, "cannot be opened: {}",
                std::strerror(errno));
  }
  Descriptor file(fd);
  const bool known = ::fstat(fd, &status) == 0;
  if (known && S_ISDIR(status.st_mode)) return invalid_input("is a folder, not a file");
  if (!known || !S_ISREG(status.st_mode)) return invalid_input("is not a regular file");
  return file;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size;
}

}  // namespace

struct MappedFile::State {
  std::filesystem::path path;
  const std::byte* begin = nullptr;  // nullptr: the file is empty
  size_t size = 0;
  struct stat status {};
  bool copied = false;
  Slot* slot = nullptr;
  std::jthread preloader;  // last: stopped and joined before anything else goes

  ~State() {
    if (preloader.joinable()) {
      preloader.request_stop();
      preloader.join();
    }
    if (slot) slot->begin = nullptr;
    if (begin) ::munmap(const_cast<std::byte*>(begin), size);
  }
};

MappedFile::MappedFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;
MappedFile::~MappedFile() = default;

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  NIBBLE_TRY(const Descriptor file, open_regular(path, state->status));
  state->size = static_cast<size_t>(state->status.st_size);
  if (!state->size) return MappedFile(std::move(state));
  NIBBLE_TRY(MemoryBlock map, MemoryBlock::map(file.get(), state->size));
  state->begin = map.release();
  // Before anything is read, or the page cache fills in pages of 4 KiB, which cost 35 to 40 % of
  // the read bandwidth.
  ::madvise(const_cast<std::byte*>(state->begin), state->size, MADV_HUGEPAGE);
  state->slot = claim_slot(state->begin, state->size, state->path.c_str());
  if (!state->slot) return unsupported("more than {} files are open", kMaxMappings);
  return MappedFile(std::move(state));
}

std::span<const std::byte> MappedFile::bytes() const { return {state_->begin, state_->size}; }

std::string_view MappedFile::text() const {
  return {reinterpret_cast<const char*>(state_->begin), state_->size};
}

const std::filesystem::path& MappedFile::path() const { return state_->path; }

Result<void> MappedFile::copy() {
  State& s = *state_;
  if (!s.begin || s.copied) return {};
  s.preloader = {};
  struct stat status {};
  NIBBLE_TRY(const Descriptor file, open_regular(s.path, status));
  if (!same_file(status, s.status)) return invalid_input("has changed since it was opened");
  if (const uint64_t free = free_memory(); s.size > free)
    return fail(ErrorKind::kOutOfMemory,
                "reading it into memory needs {} MiB, {} MiB are free; without --no-mmap it is run "
                "from the page cache",
                s.size >> 20, free >> 20);
  NIBBLE_TRY(MemoryBlock memory, read_into_memory(file.get(), s.size));
  ::mprotect(memory.data(), s.size, PROT_READ);
  auto* begin = const_cast<std::byte*>(s.begin);
  if (::mremap(memory.data(), s.size, s.size, MREMAP_MAYMOVE | MREMAP_FIXED, begin) == MAP_FAILED)
    return fail(ErrorKind::kOutOfMemory, "memory cannot be moved: {}", std::strerror(errno));
  memory.release();
  s.copied = true;
  return {};
}

Result<void> MappedFile::lock() {
  if (!state_->begin) return {};
  const uint64_t wanted = state_->copied ? 0 : state_->size;  // page cache counts as free
  if (const uint64_t free = free_memory(); wanted > free)
    return fail(ErrorKind::kOutOfMemory, "locking needs {} MiB, {} MiB are free", wanted >> 20,
                free >> 20);
  if (::mlock(state_->begin, state_->size) == 0) return {};
  const int error = errno;
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur == RLIM_INFINITY)
    return fail(ErrorKind::kOutOfMemory, "locking failed: {}", std::strerror(error));
  return fail(ErrorKind::kOutOfMemory,
              "locking needs {} KiB, the limit RLIMIT_MEMLOCK is {} KiB ('ulimit -l' shows and "
              "raises it)",
              (state_->size + 1023) >> 10, limit.rlim_cur >> 10);
}

uint64_t MappedFile::resident_bytes() const {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  constexpr size_t kStep = size_t{1} << 30;
  std::vector<unsigned char> pages(kStep / page);
  uint64_t n = 0;
  for (size_t at = 0; at < state_->size; at += kStep) {
    const size_t step = std::min(kStep, state_->size - at), n_pages = (step + page - 1) / page;
    if (::mincore(const_cast<std::byte*>(state_->begin) + at, step, pages.data()) != 0) return n;
    for (size_t i = 0; i < n_pages; ++i) n += pages[i] & 1 ? std::min(page, step - i * page) : 0;
  }
  return n;
}

void MappedFile::preload() {
  if (!state_->begin || state_->copied || state_->preloader.joinable()) return;
  auto* begin = const_cast<std::byte*>(state_->begin);
  const size_t size = state_->size;
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  if (size > static_cast<uint64_t>(pages) * static_cast<uint64_t>(page) / 10 * 8) return;
  struct stat status {};
  auto file = open_regular(state_->path, status);
  const bool same = file && same_file(status, state_->status);
  state_->preloader =
      std::jthread([begin, size, same, fd = std::move(file)](const std::stop_token& stop) {
        constexpr size_t kStep = size_t{16}
                                 << 20;  // small enough to stop soon when the disk is slow
        for (size_t at = 0; at < size && !stop.stop_requested(); at += kStep)
          if (::madvise(begin + at, std::min(kStep, size - at), MADV_POPULATE_READ) != 0) return;
        if (same) gather_in_huge_pages(fd->get(), begin, size, stop);
      });
}

void MappedFile::read_ahead() {
  if (state_->begin)
    ::madvise(const_cast<std::byte*>(state_->begin), state_->size, MADV_SEQUENTIAL);
}

void report_shrunk_files(ShrunkFileReport report) {
  g_report = report;
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace nibble
