#include "cli/units.h"

#include <fmt/format.h>

#include <iterator>

namespace nibble::cli {
namespace {
std::string scaled(uint64_t n, const char* unit, const char* none) {
  constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T", "P"};
  double value = static_cast<double>(n);
  size_t at = 0;
  for (; value >= 999.95 && at + 1 < std::size(kPrefixes); ++at) value /= 1000;
  if (at == 0) return fmt::format("{}{}", n, none);
  return fmt::format("{:.1f} {}{}", value, kPrefixes[at], unit);
}
}  // namespace

std::string human_bytes(uint64_t n_bytes) { return scaled(n_bytes, "B", " bytes"); }
std::string human_count(uint64_t n) { return scaled(n, "", ""); }

}  // namespace nibble::cli
