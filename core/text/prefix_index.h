// Which of a set of strings stand at a place of a text: a sorted list walked like a trie.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace nibble::text {

class PrefixIndex {
 public:
  struct Entry {
    std::string_view text;  // not empty; borrowed
    TokenId id;
  };
  PrefixIndex() = default;
  explicit PrefixIndex(std::vector<Entry> entries);

  bool empty() const { return entries_.empty(); }
  bool may_begin(unsigned char byte) const { return first_[byte + 1u] > first_[byte]; }
  // Calls found(length, id) for every entry that text begins with, shortest first.
  template <class Found>
  void each_prefix(std::string_view text, Found found) const {
    if (text.empty()) return;
    const auto lead = static_cast<unsigned char>(text[0]);
    uint32_t low = first_[lead], high = first_[lead + 1u];
    for (size_t depth = 1; low < high; ++depth) {
      for (; low < high && entries_[low].text.size() == depth; ++low)
        found(depth, entries_[low].id);
      if (depth == text.size()) return;
      narrow(low, high, depth, static_cast<unsigned char>(text[depth]));
    }
  }

 private:
  // Those of [low, high), alike in their first depth bytes and longer, that go on with byte.
  void narrow(uint32_t& low, uint32_t& high, size_t depth, unsigned char byte) const;
  std::vector<Entry> entries_;
  std::array<uint32_t, 257> first_{};  // where the entries with a first byte begin
};

}  // namespace nibble::text
