// The longest of a set of strings that begins at each place of a text, in time linear in the text
// whatever the strings: an Aho-Corasick automaton over the strings read from their ends, that goes
// through the text from its end.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace nibble::text {

class LongestStarts {
 public:
  static constexpr size_t kMaxBytes = size_t{1} << 22;  // of all strings

  LongestStarts() = default;
  // Of equal strings the first counts; empty ones begin nowhere. Fails (kUnsupported) above
  // kMaxBytes.
  static Result<LongestStarts> make(const std::vector<std::string_view>& strings);

  bool empty() const { return nodes_.empty(); }
  // For each byte of text the number of a string, -1: none begins there.
  std::vector<int32_t> find(std::string_view text) const;

 private:
  // A string's end, read backwards. Those that go on from it by one byte stand together.
  struct Node {
    uint32_t first = 0, n_next = 0;
    uint32_t fallback = 0;  // the longest of its own ends, read so far, that is a node too
    int32_t longest = -1;   // string that begins here
    unsigned char byte = 0;
  };
  void set_fallbacks();
  uint32_t next(uint32_t node, unsigned char byte) const;  // 0: there is none
  uint32_t step(uint32_t node, unsigned char byte) const;
  std::vector<Node> nodes_;                // the root first, then by length
  std::array<uint32_t, 256> from_root_{};  // 0: there is none
};

}  // namespace nibble::text
