#include "core/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
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

Result<int> open_regular(const std::filesystem::path& path, uint64_t& size) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    return fail(absent ? ErrorKind::kNotFound : ErrorKind::kInvalidInput, "cannot be opened: {}",
                std::strerror(errno));
  }
  struct stat status {};
  const bool known = ::fstat(fd, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(fd);
    if (known && S_ISDIR(status.st_mode)) return invalid_input("is a folder, not a file");
    return invalid_input("is not a regular file");
  }
  size = static_cast<uint64_t>(status.st_size);
  return fd;
}

}  // namespace

struct MappedFile::State {
  std::filesystem::path path;
  const std::byte* begin = nullptr;  // nullptr: the file is empty
  size_t size = 0;
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
  NIBBLE_TRY(const int fd, open_regular(path, state->size));
  void* memory = MAP_FAILED;
  if (state->size) memory = ::mmap(nullptr, state->size, PROT_READ, MAP_SHARED, fd, 0);
  const int error = errno;
  ::close(fd);
  if (!state->size) return MappedFile(std::move(state));
  if (memory == MAP_FAILED)
    return fail(error == ENOMEM ? ErrorKind::kOutOfMemory : ErrorKind::kInvalidInput,
                "cannot be mapped ({} bytes): {}", state->size, std::strerror(error));
  state->begin = static_cast<const std::byte*>(memory);
  state->slot = claim_slot(state->begin, state->size, state->path.c_str());
  if (!state->slot) return unsupported("more than {} files are open", kMaxMappings);
  return MappedFile(std::move(state));
}

std::span<const std::byte> MappedFile::bytes() const { return {state_->begin, state_->size}; }

std::string_view MappedFile::text() const {
  return {reinterpret_cast<const char*>(state_->begin), state_->size};
}

const std::filesystem::path& MappedFile::path() const { return state_->path; }

void MappedFile::preload() {
  if (!state_->begin || state_->preloader.joinable()) return;
  auto* begin = const_cast<std::byte*>(state_->begin);
  const size_t size = state_->size;
  ::madvise(begin, size, MADV_HUGEPAGE);  // 4 KiB pages cost 35 to 40 % of the read bandwidth
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  if (size > static_cast<uint64_t>(pages) * static_cast<uint64_t>(page) / 10 * 8) return;
  state_->preloader = std::jthread([begin, size](const std::stop_token& stop) {
    constexpr size_t kStep = size_t{16} << 20;  // small enough to stop soon when the disk is slow
    for (size_t at = 0; at < size && !stop.stop_requested(); at += kStep)
      if (::madvise(begin + at, std::min(kStep, size - at), MADV_POPULATE_READ) != 0) return;
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
