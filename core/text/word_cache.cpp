#include "core/text/word_cache.h"

#include <algorithm>

namespace nibble::text {

bool WordCache::find(std::string_view word, uint64_t hash, std::vector<TokenId>& out) const {
  if (entries_.empty()) return false;
  const size_t mask = entries_.size() - 1;
  for (size_t i = hash & mask; entries_[i].n_word != 0; i = (i + 1) & mask) {
    const Entry& e = entries_[i];
    if (e.hash != hash || std::string_view(words_).substr(e.word_at, e.n_word) != word) continue;
    const auto first = ids_.begin() + e.ids_at;
    if (e.n_ids == 1) {
      out.push_back(*first);
    } else {
      out.insert(out.end(), first, first + e.n_ids);
    }
    return true;
  }
  return false;
}

void WordCache::add(std::string_view word, uint64_t hash, std::span<const TokenId> ids) {
  if (word.empty() || word.size() > kLongest || ids.size() > 4 * kLongest) return;
  if ((n_ + 1) * 2 > entries_.size()) grow();
  const size_t mask = entries_.size() - 1;
  size_t i = hash & mask;
  while (entries_[i].n_word != 0) i = (i + 1) & mask;
  entries_[i] = {hash, static_cast<uint32_t>(words_.size()), static_cast<uint32_t>(ids_.size()),
                 static_cast<uint16_t>(word.size()), static_cast<uint16_t>(ids.size())};
  words_ += word;
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  ++n_;
}

void WordCache::grow() {
  if (entries_.size() == kMostEntries) {
    std::ranges::fill(entries_, Entry{});
    words_.clear();
    ids_.clear();
    n_ = 0;
    return;
  }
  std::vector<Entry> old(std::max(kFirstEntries, entries_.size() * 2));
  old.swap(entries_);
  const size_t mask = entries_.size() - 1;
  for (const Entry& e : old) {
    if (e.n_word == 0) continue;
    size_t i = e.hash & mask;
    while (entries_[i].n_word != 0) i = (i + 1) & mask;
    entries_[i] = e;
  }
}

}  // namespace nibble::text
