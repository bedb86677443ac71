// Searches for a text in a text, in time linear in both together: those of std::string may take the
// product of their lengths.
#pragma once

#include <string_view>
#include <vector>

#include "core/text/template/value.h"

namespace nibble::jinja {

// First occurrence at or after `from` <= text.size(), and the last one; npos: there is none.
size_t find_first(std::string_view text, std::string_view wanted, size_t from = 0);
size_t find_last(std::string_view text, std::string_view wanted);

// The occurrences of `wanted`, not empty, that a split takes: none overlaps another, counted from
// the left or from the right, at most `limit` (below 0: all). Ascending.
std::vector<size_t> find_all(std::string_view text, std::string_view wanted, Integer limit = -1);
std::vector<size_t> find_all_from_right(std::string_view text, std::string_view wanted,
                                        Integer limit = -1);

}  // namespace nibble::jinja
