#include "core/base/unfinished.h"

#include <unistd.h>

#include <array>
#include <atomic>

namespace nibble {
namespace {

std::array<std::atomic<const char*>, 64> g_unfinished{};  // a handler may not take a lock

}  // namespace

void remember_unfinished(const char* path) {
  for (auto& slot : g_unfinished) {
    const char* free = nullptr;
    if (slot.compare_exchange_strong(free, path)) return;
  }
}

void forget_unfinished(const char* path) {
  for (auto& slot : g_unfinished) {
    const char* expected = path;
    if (slot.compare_exchange_strong(expected, nullptr)) return;
  }
}

void discard_unfinished_outputs() noexcept {
  for (auto& slot : g_unfinished)
    if (const char* path = slot.exchange(nullptr)) ::unlink(path);
}

}  // namespace nibble
