// Sorted tables of ranges of code points.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace nibble::text {

struct CodePointRange {
  char32_t first, last;
};

// Whether one of the ranges, which are ascending and apart from one another, has c.
template <size_t n>
bool in_ranges(const CodePointRange (&ranges)[n], char32_t c) {
  if (c < ranges[0].first) return false;
  const auto range = std::ranges::lower_bound(ranges, c, {}, &CodePointRange::last);
  return range != std::end(ranges) && c >= range->first;
}

}  // namespace nibble::text
