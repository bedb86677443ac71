// Token texts by id and ids by text: a flat table over borrowed or own bytes, no allocation for
// each token.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/text/tokenizer.h"

namespace nibble::text {

inline constexpr TokenId kNoToken = -1;
inline constexpr size_t kMaxVocabulary = size_t{1} << 24;  // entries
inline constexpr size_t kMaxTokenText = size_t{1} << 20;   // bytes

class Vocabulary {
 public:
  Vocabulary() = default;
  // Texts by id, an empty one for an id that stands for nothing. arena: the bytes that texts point
  // into, if they are not borrowed from something that lives longer. A text that stands twice is
  // found as its first id.
  static Result<Vocabulary> make(std::vector<std::string_view> texts,
                                 std::shared_ptr<const std::string> arena = nullptr);

  int size() const { return static_cast<int>(texts_.size()); }
  std::string_view text(TokenId id) const { return texts_[static_cast<size_t>(id)]; }
  bool has(TokenId id) const { return id >= 0 && id < size(); }
  std::span<const std::string_view> texts() const { return texts_; }
  size_t longest() const { return longest_; }                                  // bytes
  TokenId find(std::string_view text) const { return find(text, Key(text)); }  // kNoToken

  // For many look-ups at once: a key of each text, its place asked for, then the look-ups.
  struct Key {
    Key() = default;
    explicit Key(std::string_view text);
    uint64_t value = 0;  // a text of up to 8 bytes itself, of a longer one a hash
    uint64_t hash = 0;
  };
  void prefetch(const Key& key) const {
    __builtin_prefetch(&slots_[key.hash & (slots_.size() - 1)]);
  }
  TokenId find(std::string_view text, const Key& key) const;

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t n_bytes = 0;  // 0: free
    TokenId id = kNoToken;
  };
  static constexpr size_t kWholeKey = 8;  // bytes: no look at the text itself is needed
  size_t slot_of(std::string_view text, const Key& key) const;
  std::vector<std::string_view> texts_;
  std::vector<Slot> slots_ = std::vector<Slot>(1);  // open addressing, at most half full
  std::shared_ptr<const std::string> arena_;
  size_t longest_ = 0;
};

}  // namespace nibble::text
