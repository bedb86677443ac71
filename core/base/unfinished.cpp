#include "core/base/unfinished.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>

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
      if (const char* path = slot.exchange(nullptr)) ::unlink(path);
}

}  // namespace nibble
