// Where a text can be cut without changing its tokens: between two code points that stand side by
// side in no token, since merging only ever makes tokens. Makes a long text without a pre-tokenizer
// (SentencePiece) into words that a cache can hold. Kept as a Bloom filter: a false hit costs a
// cut, never a token.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/text/hash.h"

namespace nibble::text {

class SafeCuts {
 public:
  SafeCuts() = default;  // no cut anywhere
  explicit SafeCuts(std::span<const std::string_view> tokens);

  bool usable() const { return !bits_.empty(); }
  bool between(char32_t left, char32_t right) const {
    const uint64_t at = place(left, right);
    return (bits_[at >> 6] >> (at & 63) & 1) == 0;
  }

 private:
  uint64_t place(char32_t left, char32_t right) const {
    return (uint64_t{left} << 32 | right) * kHashA >> shift_;
  }
  std::vector<uint64_t> bits_;
  int shift_ = 0;
};

}  // namespace nibble::text
