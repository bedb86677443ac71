#include "core/base/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/base/printable.h"
#include "core/base/unfinished.h"

namespace nibble {
namespace {

// The whole lines of a text.
std::vector<std::string> whole_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
    lines.emplace_back(text.substr(0, end));
  return lines;
}

}  // namespace

struct Journal::State {
  std::string path, subject;
  std::vector<std::string> lines;
  bool keep = false;
  int fd = -1;

  ~State() {
    if (fd >= 0) ::close(fd);
    if (!path.empty() && !keep) remove();
  }
  void remove() {
    ::unlink(path.c_str());
    forget_unfinished(path.c_str());
    path.clear();
  }
  Result<void> put(std::string_view line) const {
    const std::string text = std::string(line) + "\n";
    if (::write(fd, text.data(), text.size()) == std::ssize(text)) return {};
    return fail(ErrorKind::kOutput, "{}: cannot be written: {}", printable(path, 200),
                std::strerror(errno));
  }
};

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}
Journal::Journal(Journal&&) noexcept = default;
Journal::~Journal() = default;

std::vector<std::string> Journal::lines_of(const std::filesystem::path& path,
                                           std::string_view subject) {
  const auto file = MappedFile::open(path);
  if (!file) return {};
  auto lines = whole_lines(file->text());
  if (lines.empty() || lines.front() != subject) return {};
  lines.erase(lines.begin());
  return lines;
}

Result<Journal> Journal::open(const std::filesystem::path& path, std::string_view subject,
                              bool take_up, bool keep) {
  auto state = std::make_unique<State>();
  state->path = path.native();
  state->subject = subject;
  state->keep = keep;
  if (!keep) remember_unfinished(state->path.c_str());
  if (take_up) state->lines = lines_of(path, subject);
  Journal journal(std::move(state));
  NIBBLE_CHECK(journal.start_over(journal.lines().size()));
  return journal;
}

const std::vector<std::string>& Journal::lines() const { return state_->lines; }

Result<void> Journal::start_over(size_t n_kept) {
  State& s = *state_;
  s.lines.resize(n_kept);
  if (s.fd >= 0) ::close(s.fd);
  s.fd = ::open(s.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
                0666);
  if (s.fd < 0)
    return fail(ErrorKind::kOutput, "{}: cannot be written: {}", printable(s.path, 200),
                std::strerror(errno));
  NIBBLE_CHECK(s.put(s.subject));
  for (const std::string& line : s.lines) NIBBLE_CHECK(s.put(line));
  return {};
}

Result<void> Journal::add(std::string_view line) {
  state_->lines.emplace_back(line);
  return state_->put(line);
}

void Journal::remove() { state_->remove(); }

}  // namespace nibble
