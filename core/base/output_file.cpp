#include "core/base/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "core/base/memory_block.h"
#include "core/base/printable.h"
#include "core/base/unfinished.h"

namespace nibble {
namespace {

// The device is put to work on each such piece, so that commit() waits for the last one only.
constexpr uint64_t kDeviceBytes = uint64_t{32} << 20;

// What is written in several places, and renamed, is no device or pipe.
Result<void> check_regular(const std::filesystem::path& target) {
  std::error_code ignored;
  if (!std::filesystem::is_other(target, ignored)) return {};
  return fail(ErrorKind::kOutput, "{}: is no regular file", printable(target.native(), 200));
}

}  // namespace

struct OutputFile::State {
  std::filesystem::path target;
  std::string temporary;  // empty: the target is written directly
  int fd = -1;
  bool overwrite = false;
  bool keep = false;       // the file, whatever happens
  bool unsettled = false;  // it has the target's name, but may lose it again
  uint64_t n_bytes = 0;
  uint64_t n_started = 0;         // that the device was put to work on
  std::vector<std::byte> buffer;  // the last bytes of n_bytes, not written yet

  ~State() {  // removes while the lock is held
    if (!temporary.empty() && !keep) remove(temporary.c_str());
    if (unsettled) remove(target.c_str());
    if (fd >= 0) ::close(fd);
  }
  static void remove(const char* path) {
    ::unlink(path);
    forget_unfinished(path);
  }
  std::unexpected<Error> failed(int error, uint64_t wanted) const;
  Result<void> write_through(uint64_t offset, std::span<const std::byte> bytes);
  Result<void> flush();
  Result<void> prepare();
  Result<void> lock_partial();
  Result<void> give_name(bool settled);
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
  if (!temporary.empty() && offset >= n_started + kDeviceBytes) {
    ::sync_file_range(fd, static_cast<off_t>(n_started), static_cast<off_t>(offset - n_started),
                      SYNC_FILE_RANGE_WRITE);  // fsync() tells what fails
    n_started = offset;
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

// Looks at what stands in the target's place; fd is open where that is written directly.
Result<void> OutputFile::State::prepare() {
  std::error_code ignored;
  const auto status = std::filesystem::status(target, ignored);
  if (std::filesystem::is_directory(status))
    return fail(ErrorKind::kOutput, "{}: is a folder", printable(target.native(), 200));
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    fd = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
    return fd < 0 ? failed(errno, 0) : Result<void>();
  }
  if (std::filesystem::exists(status)) {
    if (!overwrite)
      return fail(ErrorKind::kUsage, "{}: exists already", printable(target.native(), 200));
    if (auto real = std::filesystem::canonical(target, ignored); !ignored) target = real;
  }
  return {};
}

Result<OutputFile> OutputFile::create(const std::filesystem::path& target, bool overwrite) {
  auto state = std::make_unique<State>();
  state->target = target;
  state->overwrite = overwrite;
  NIBBLE_CHECK(state->prepare());
  if (state->fd >= 0) return OutputFile(std::move(state));
  static std::atomic<int> counter = 0;
  do {  // a killed process of this number, the only one of a container, may have left such a file
    state->temporary = fmt::format("{}.{}-{}.part", state->target.native(), ::getpid(), counter++);
    state->fd = ::open(state->temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (state->fd < 0 && errno == EEXIST);
  if (state->fd < 0) {
    state->temporary.clear();  // not ours to remove
    return state->failed(errno, 0);
  }
  remember_unfinished(state->temporary.c_str());
  return OutputFile(std::move(state));
}

Result<void> OutputFile::check(const std::filesystem::path& target, bool overwrite) {
  std::error_code ignored;
  if (std::filesystem::is_other(target, ignored)) return {};
  NIBBLE_TRY(const OutputFile file, create(target, overwrite));
  return {};
}

Result<void> OutputFile::check_partial(const std::filesystem::path& target, bool overwrite) {
  NIBBLE_CHECK(check_regular(target));
  return check(target, overwrite);
}

// Opens and locks the temporary file; another process may have renamed it in between.
Result<void> OutputFile::State::lock_partial() {
  const std::string name = partial_path(target, "part").native();
  struct stat opened {
  }, named{};
  fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) return failed(errno, 0);
  const bool locked = ::flock(fd, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd, &opened) == 0 &&
                      ::lstat(name.c_str(), &named) == 0 && opened.st_ino == named.st_ino;
  if (!locked || !S_ISREG(opened.st_mode))
    return fail(ErrorKind::kOutput, "{}: another process is writing it",
                printable(target.native(), 200));
  temporary = name;
  n_bytes = static_cast<uint64_t>(opened.st_size);
  return {};
}

Result<OutputFile> OutputFile::create_partial(const std::filesystem::path& target, bool overwrite,
                                              bool take_up, bool keep) {
  auto state = std::make_unique<State>();
  state->target = target;
  state->overwrite = overwrite;
  NIBBLE_CHECK(check_regular(target));
  NIBBLE_CHECK(state->prepare());
  NIBBLE_CHECK(state->lock_partial());
  state->keep = keep;
  if (!keep) remember_unfinished(state->temporary.c_str());
  OutputFile file(std::move(state));
  if (!take_up) NIBBLE_CHECK(file.keep_first(0));
  return file;
}

Result<void> OutputFile::read_at(uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::pread(state_->fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return state_->failed(n < 0 ? errno : ENODATA, 0);
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Result<void> OutputFile::keep_first(uint64_t n_bytes) {
  State& s = *state_;
  s.buffer.clear();
  s.n_bytes = std::min(n_bytes, s.n_bytes);
  if (::ftruncate(s.fd, static_cast<off_t>(s.n_bytes)) != 0) return s.failed(errno, 0);
  return {};
}

Result<void> OutputFile::flush() { return state_->flush(); }

std::filesystem::path partial_path(const std::filesystem::path& target, const char* suffix) {
  auto path = target;
  return path.replace_filename(fmt::format(".{}.nibble-{}", target.filename().native(), suffix));
}

Result<void> OutputFile::reserve(uint64_t n_bytes) {
  if (state_->temporary.empty() || n_bytes == 0) return {};
  struct statvfs system {};
  struct stat taken {};  // by a run before
  const uint64_t has = ::fstat(state_->fd, &taken) == 0 ? uint64_t(taken.st_blocks) * 512 : 0;
  const uint64_t more = n_bytes - std::min(has, n_bytes);
  if (::fstatvfs(state_->fd, &system) == 0 && uint64_t{system.f_bavail} * system.f_frsize < more)
    return state_->failed(ENOSPC, more);
  // KEEP_SIZE: a file that ends up shorter than forecast must not end in zeros
  if (::fallocate(state_->fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(n_bytes)) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
    return state_->failed(errno, n_bytes);
  return {};  // a file system that cannot set space aside is found out by write()
}

// Writes end where huge pages do: what is written piecemeal stands in the page cache in small ones,
// and a model that is run from there is read a fifth slower by one thread.
Result<void> OutputFile::write(std::span<const std::byte> bytes) {
  State& s = *state_;
  while (!bytes.empty()) {
    const size_t to_boundary = kHugePage - s.n_bytes % kHugePage;
    size_t n = std::min(bytes.size(), to_boundary);
    if (s.buffer.empty() && n == to_boundary) {  // whole pages are not copied
      n += (bytes.size() - n) / kHugePage * kHugePage;
      NIBBLE_CHECK(s.write_through(s.n_bytes, bytes.first(n)));
    } else {
      s.buffer.insert(s.buffer.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n));
    }
    s.n_bytes += n;
    bytes = bytes.subspan(n);
    if (s.n_bytes % kHugePage == 0) NIBBLE_CHECK(s.flush());
  }
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

Result<void> OutputFile::commit() { return state_->give_name(true); }

Result<void> OutputFile::give_name() { return state_->give_name(false); }

void OutputFile::settle() {
  if (std::exchange(state_->unsettled, false)) forget_unfinished(state_->target.c_str());
}

Result<void> OutputFile::State::give_name(bool settled) {
  NIBBLE_CHECK(flush());
  if (temporary.empty()) return {};
  // Gives back what was reserved too much.
  if (::ftruncate(fd, static_cast<off_t>(n_bytes)) != 0) return failed(errno, 0);
  if (::fsync(fd) != 0) return failed(errno, 0);
  const unsigned flags = overwrite ? 0 : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), flags) != 0 &&
      (errno != EINVAL || ::rename(temporary.c_str(), target.c_str()) != 0))
    return failed(errno, 0);
  unsettled = !settled && !keep;
  if (unsettled) remember_unfinished(target.c_str());
  forget_unfinished(temporary.c_str());
  temporary.clear();
  auto folder = target.parent_path();
  const int folder_fd =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd >= 0) {
    ::fsync(folder_fd);  // some file systems cannot; the rename stands all the same
    ::close(folder_fd);
  }
  return {};
}

}  // namespace nibble
