#include "core/text/template/search.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace nibble::jinja {

// memmem is the two-way algorithm (Crochemore and Perrin 1991), linear, for all but short needles.
size_t find_first(std::string_view text, std::string_view wanted, size_t from) {
  if (wanted.empty()) return from;
  const void* found = memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  return found ? size_t(static_cast<const char*>(found) - text.data()) : text.npos;
}

// Found in the mirror image.
std::vector<size_t> find_all_from_right(std::string_view text, std::string_view wanted,
                                        Integer limit) {
  const std::string mirrored(text.rbegin(), text.rend());
  auto at = find_all(mirrored, std::string(wanted.rbegin(), wanted.rend()), limit);
  for (size_t& i : at) i = text.size() - i - wanted.size();
  std::ranges::reverse(at);
  return at;
}

size_t find_last(std::string_view text, std::string_view wanted) {
  if (wanted.empty()) return text.size();
  const auto at = find_all_from_right(text, wanted, 1);
  return at.empty() ? text.npos : at[0];
}

std::vector<size_t> find_all(std::string_view text, std::string_view wanted, Integer limit) {
  std::vector<size_t> at;
  for (size_t from = 0; limit != 0; --limit) {
    const size_t found = find_first(text, wanted, from);
    if (found == text.npos) break;
    at.push_back(found);
    from = found + wanted.size();
  }
  return at;
}

}  // namespace nibble::jinja
