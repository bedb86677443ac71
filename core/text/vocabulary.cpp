#include "core/text/vocabulary.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/text/hash.h"

namespace nibble::text {

Vocabulary::Key::Key(std::string_view text) {
  const auto load = [&](size_t at, size_t n) {
    uint64_t v = 0;
    std::memcpy(&v, text.data() + at, n);
    return v;
  };
  const size_t n = text.size();
  if (n > kWholeKey) {
    value = hash_bytes(text);
  } else if (n == 8) {
    value = load(0, 8);
  } else if (n >= 4) {
    value = load(0, 4) << 32 | load(n - 4, 4);
  } else if (n > 0) {
    value = load(0, 1) << 16 | load(n / 2, 1) << 8 | load(n - 1, 1);
  }
  hash = hash_pair(value, n);
}

// Where text stands, or the free slot where it would.
size_t Vocabulary::slot_of(std::string_view text, const Key& key) const {
  const size_t mask = slots_.size() - 1;
  for (size_t i = key.hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.n_bytes == 0) return i;
    if (slot.key != key.value || slot.n_bytes != text.size()) continue;
    if (text.size() <= kWholeKey || this->text(slot.id) == text) return i;
  }
}

Result<Vocabulary> Vocabulary::make(std::vector<std::string_view> texts,
                                    std::shared_ptr<const std::string> arena) {
  if (texts.size() > kMaxVocabulary)
    return unsupported("vocabulary of {} tokens, at most {} are read", texts.size(),
                       kMaxVocabulary);
  Vocabulary out;
  out.texts_ = std::move(texts);
  out.arena_ = std::move(arena);
  out.slots_.assign(std::bit_ceil(out.texts_.size() * 2 + 2), Slot{});
  for (size_t id = 0; id < out.texts_.size(); ++id) {
    const std::string_view text = out.texts_[id];
    if (text.empty()) continue;
    if (text.size() > kMaxTokenText)
      return unsupported("token {} of {} bytes, at most {} are read", id, text.size(),
                         kMaxTokenText);
    out.longest_ = std::max(out.longest_, text.size());
    const Key key(text);
    Slot& slot = out.slots_[out.slot_of(text, key)];
    if (slot.n_bytes == 0)
      slot = {key.value, static_cast<uint32_t>(text.size()), static_cast<TokenId>(id)};
  }
  return out;
}

TokenId Vocabulary::find(std::string_view text, const Key& key) const {
  if (text.empty() || text.size() > longest_) return kNoToken;
  return slots_[slot_of(text, key)].id;
}

}  // namespace nibble::text
