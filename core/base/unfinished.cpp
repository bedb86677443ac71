#include "core/base/unfinished.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <string_view>

namespace nibble {
namespace {

// A handler may take no lock: slots are never given back, only used again.
struct Slots {
  std::array<std::atomic<const char*>, 64> paths{};
  std::atomic<Slots*> next = nullptr;
};
Slots g_unfinished;

// Puts `to` where `from` stands first. False: nowhere.
bool replace(const char* from, const char* to) {
  for (Slots* slots = &g_unfinished; slots; slots = slots->next)
    for (auto& path : slots->paths)
      if (const char* expected = from; path.compare_exchange_strong(expected, to)) return true;
  return false;
}

// Async-signal-safe, as readdir() is not.
void remove_folder(int parent, const char* name) noexcept {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  alignas(dirent64) char entries[2048];
  ssize_t n;
  while ((n = ::getdents64(fd, entries, sizeof entries)) > 0)
    for (ssize_t at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
      const std::string_view inside = entry->d_name;
      if (inside != "." && inside != ".." && ::unlinkat(fd, entry->d_name, 0) != 0)
        remove_folder(fd, entry->d_name);
      at += entry->d_reclen;
    }
  ::close(fd);
  ::unlinkat(parent, name, AT_REMOVEDIR);
}

}  // namespace

void remember_unfinished(const char* path) {
  while (!replace(nullptr, path)) {
    Slots* last = &g_unfinished;
    while (last->next) last = last->next;
    auto more = std::make_unique<Slots>();
    Slots* none = nullptr;
    if (last->next.compare_exchange_strong(none, more.get())) more.release();
  }
}

void forget_unfinished(const char* path) { replace(path, nullptr); }

void discard_unfinished_outputs() noexcept {
  for (Slots* slots = &g_unfinished; slots; slots = slots->next)
    for (auto& slot : slots->paths)
      if (const char* path = slot.exchange(nullptr); path && ::unlink(path) != 0)
        remove_folder(AT_FDCWD, path);
}

}  // namespace nibble
