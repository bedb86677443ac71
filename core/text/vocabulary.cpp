#include "core/text/vocabulary.h"

#include <algorithm>
#include <bit>

#include "core/text/hash.h"

namespace nibble::text {

Result<Vocabulary> Vocabulary::make(std::vector<std::string_view> texts,
                                    std::shared_ptr<const std::string> arena) {
  if (texts.size() > kMaxVocabulary)
    return unsupported("vocabulary of {} tokens, at most {} are read", texts.size(), kMaxVocabulary);
  Vocabulary out;
  out.texts_ = std::move(texts);
  out.arena_ = std::move(arena);
  out.slots_.assign(std::bit_ceil(out.texts_.size() * 2 + 2), Slot{0, kNoToken});
  const size_t mask = out.slots_.size() - 1;
  for (size_t id = 0; id < out.texts_.size(); ++id) {
    const std::string_view text = out.texts_[id];
    if (text.empty()) continue;
    out.longest_ = std::max(out.longest_, text.size());
    const uint64_t hash = hash_bytes(text);
    const auto tag = static_cast<uint32_t>(hash >> 32);
    size_t i = hash & mask;
    while (out.slots_[i].id != kNoToken &&
           (out.slots_[i].tag != tag || out.text(out.slots_[i].id) != text))
      i = (i + 1) & mask;
    if (out.slots_[i].id == kNoToken) out.slots_[i] = {tag, static_cast<TokenId>(id)};
  }
  return out;
}

TokenId Vocabulary::find(std::string_view text) const {
  if (text.empty() || text.size() > longest_) return kNoToken;
  const size_t mask = slots_.size() - 1;
  const uint64_t hash = hash_bytes(text);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (size_t i = hash & mask; slots_[i].id != kNoToken; i = (i + 1) & mask)
    if (slots_[i].tag == tag && this->text(slots_[i].id) == text) return slots_[i].id;
  return kNoToken;
}

}  // namespace nibble::text
