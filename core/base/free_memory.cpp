#include "core/base/free_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/control_groups.h"

namespace nibble {
namespace {

// A number in a text file of the kernel, after key where one is given; nothing where it says
// otherwise.
std::optional<uint64_t> number_in(const std::string& path, std::string_view key = {}) {
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

uint64_t free_memory(const std::string& root) {
  uint64_t free = UINT64_MAX;
  const auto leaves = [&](std::optional<uint64_t> limit, std::optional<uint64_t> used) {
    if (limit && used) free = std::min(free, *limit - std::min(*limit, *used));
  };
  if (const auto kib = number_in(root + "/proc/meminfo", "MemAvailable:")) free = *kib << 10;
  visit_control_groups(root, "memory", [&](const std::string& folder) {
    leaves(number_in(folder + "/memory.max"), number_in(folder + "/memory.stat", "anon"));
    leaves(number_in(folder + "/memory.limit_in_bytes"),
           number_in(folder + "/memory.stat", "total_rss"));
  });
  return free;
}

}  // namespace nibble
