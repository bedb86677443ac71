// Ids of words that were met before. Not for several threads at once; forgets everything when it is
// full.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace nibble::text {

class WordCache {
 public:
  static constexpr size_t kLongest = 128;  // bytes; longer words hardly come back

  // Appends the word's ids to out; false: it is not here.
  bool find(std::string_view word, uint64_t hash, std::vector<TokenId>& out) const;
  void add(std::string_view word, uint64_t hash, std::span<const TokenId> ids);

 private:
  struct Entry {
    uint64_t hash = 0;
    uint32_t word_at = 0, ids_at = 0;
    uint16_t n_word = 0, n_ids = 0;  // n_word 0: free
  };
  static constexpr size_t kFirstEntries = 1024, kMostEntries = 65'536;
  void grow();
  std::vector<Entry> entries_;  // open addressing, at most half full
  std::string words_;
  std::vector<TokenId> ids_;
  size_t n_ = 0;
};

}  // namespace nibble::text
