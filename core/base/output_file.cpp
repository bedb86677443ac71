#include "core/base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/base/printable.h"

namespace nibble {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

// Temporary names for discard_unfinished_outputs, which may not take a lock.
std::array<std::atomic<const char*>, 64> g_unfinished{};

void remember(const char* temporary) {
  for (auto& slot : g_unfinished) {
    const char* free = nullptr;
    if (slot.compare_exchange_strong(free, temporary)) return;
  }
}
void forget(const char* temporary) {
  for (auto& slot : g_unfinished) {
    const char* expected = temporary;
    if (slot.compare_exchange_strong(expected, nullptr)) return;
  }
}

}  // namespace

struct OutputFile::State {
  std::filesystem::path target;
  std::string temporary;  // empty: the target is written directly
  int fd = -1;
  bool overwrite = false;
  uint64_t n_bytes = 0;
  std::vector<std::byte> buffer;  // the last bytes of n_bytes, not written yet

  ~State() {
    if (fd >= 0) ::close(fd);
    drop_temporary();
  }
  void drop_temporary() {
    if (temporary.empty()) return;
    ::unlink(temporary.c_str());
    forget(temporary.c_str());
    temporary.clear();
  }
  std::unexpected<Error> failed(int error, uint64_t wanted) const;
  Result<void> write_through(uint64_t offset, std::span<const std::byte> bytes);
  Result<void> flush();
};

// What a system call's error number means to the user.
std::unexpected<Error> OutputFile::State::failed(int error, uint64_t wanted) const {
  const std::string name = printable(target.native(), 200);
  if (error == EFAULT)
    return corrupt("what is being written to {} can no longer be read: its file became shorter",
                   name);
  struct statvfs system {};
  if (error == ENOSPC && ::fstatvfs(fd, &system) == 0) {
    const uint64_t free = uint64_t{system.f_bavail} * system.f_frsize;
    return fail(ErrorKind::kOutput, "{}: no space left: {} bytes missing ({} needed, {} free)",
                name, wanted > free ? wanted - free : 1, wanted, free);
  }
  return fail(ErrorKind::kOutput, "{}: cannot be written: {}", name, std::strerror(error));
}

Result<void> OutputFile::State::write_through(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = temporary.empty()
                          ? ::write(fd, bytes.data(), bytes.size())
                          : ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(errno, bytes.size());
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Result<void> OutputFile::State::flush() {
  NIBBLE_CHECK(write_through(n_bytes - buffer.size(), buffer));
  buffer.clear();
  return {};
}

OutputFile::OutputFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;
OutputFile::~OutputFile() = default;

Result<OutputFile> OutputFile::create(const std::filesystem::path& target, bool overwrite) {
  auto state = std::make_unique<State>();
  std::error_code ignored;
  state->target = target;
  state->overwrite = overwrite;
  const auto status = std::filesystem::status(target, ignored);
  if (std::filesystem::is_directory(status))
    return fail(ErrorKind::kOutput, "{}: is a folder", printable(target.native(), 200));
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    state->fd = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
    if (state->fd < 0) return state->failed(errno, 0);
    return OutputFile(std::move(state));
  }
  if (std::filesystem::exists(status)) {
    if (!overwrite)
      return fail(ErrorKind::kUsage, "{}: exists already", printable(target.native(), 200));
    if (auto real = std::filesystem::canonical(target, ignored); !ignored) state->target = real;
  }
  static std::atomic<int> counter = 0;
  state->temporary = fmt::format("{}.{}-{}.part", state->target.native(), ::getpid(), counter++);
  state->fd = ::open(state->temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (state->fd < 0) {
    state->temporary.clear();  // not ours to remove
    return state->failed(errno, 0);
  }
  remember(state->temporary.c_str());
  return OutputFile(std::move(state));
}

Result<void> OutputFile::reserve(uint64_t n_bytes) {
  if (state_->temporary.empty() || n_bytes == 0) return {};
  struct statvfs system {};
  if (::fstatvfs(state_->fd, &system) == 0 && uint64_t{system.f_bavail} * system.f_frsize < n_bytes)
    return state_->failed(ENOSPC, n_bytes);
  // KEEP_SIZE: a file that ends up shorter than forecast must not end in zeros
  if (::fallocate(state_->fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(n_bytes)) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
    return state_->failed(errno, n_bytes);
  return {};  // a file system that cannot set space aside is found out by write()
}

Result<void> OutputFile::write(std::span<const std::byte> bytes) {
  State& s = *state_;
  if (s.buffer.size() + bytes.size() > kBufferBytes) NIBBLE_CHECK(s.flush());
  if (bytes.size() > kBufferBytes)
    NIBBLE_CHECK(s.write_through(s.n_bytes, bytes));
  else
    s.buffer.insert(s.buffer.end(), bytes.begin(), bytes.end());
  s.n_bytes += bytes.size();
  return {};
}

Result<void> OutputFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  if (state_->temporary.empty()) return state_->failed(ESPIPE, 0);
  NIBBLE_CHECK(state_->flush());
  NIBBLE_CHECK(state_->write_through(offset, bytes));
  state_->n_bytes = std::max(state_->n_bytes, offset + bytes.size());
  return {};
}

uint64_t OutputFile::n_bytes() const { return state_->n_bytes; }

Result<void> OutputFile::commit() {
  State& s = *state_;
  NIBBLE_CHECK(s.flush());
  if (s.temporary.empty()) return {};
  if (::ftruncate(s.fd, static_cast<off_t>(s.n_bytes)) !=
      0)  // gives back what was reserved too much
    return s.failed(errno, 0);
  if (::fsync(s.fd) != 0) return s.failed(errno, 0);
  const unsigned flags = s.overwrite ? 0 : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, s.temporary.c_str(), AT_FDCWD, s.target.c_str(), flags) != 0 &&
      (errno != EINVAL || ::rename(s.temporary.c_str(), s.target.c_str()) != 0))
    return s.failed(errno, 0);
  forget(s.temporary.c_str());
  s.temporary.clear();
  auto folder = s.target.parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);  // some file systems cannot; the rename stands all the same
    ::close(fd);
  }
  return {};
}

void discard_unfinished_outputs() noexcept {
  for (auto& slot : g_unfinished)
    if (const char* temporary = slot.exchange(nullptr)) ::unlink(temporary);
}

}  // namespace nibble
