#include "core/base/free_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace nibble {
namespace {

// A number in a text file of the kernel, after key where one is given; nothing where it says
// otherwise.
std::optional<uint64_t> number_in(const char* path, std::string_view key = {}) {
  std::ifstream in(path);
  std::string word;
  while (in >> word)
    if (key.empty() || word == key) {
      uint64_t n = 0;
      if (!key.empty() && !(in >> n)) return std::nullopt;
      if (!key.empty()) return n;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), n);
      return error == std::errc() ? std::optional(n) : std::nullopt;
    }
  return std::nullopt;
}

}  // namespace

uint64_t free_memory() {
  uint64_t free = UINT64_MAX;
  if (const auto kib = number_in("/proc/meminfo", "MemAvailable:")) free = *kib << 10;
  const auto limit = number_in("/sys/fs/cgroup/memory.max");
  const auto used = number_in("/sys/fs/cgroup/memory.stat", "anon");
  if (limit && used) free = std::min(free, *limit - std::min(*limit, *used));
  return free;
}

}  // namespace nibble
