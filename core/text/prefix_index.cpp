#include "core/text/prefix_index.h"

#include <algorithm>

namespace nibble::text {

PrefixIndex::PrefixIndex(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::erase_if(entries_, [](const Entry& entry) { return entry.text.empty(); });
  std::ranges::stable_sort(entries_, {}, &Entry::text);
  for (const Entry& entry : entries_) ++first_[static_cast<unsigned char>(entry.text[0]) + 1u];
  for (size_t b = 1; b < first_.size(); ++b) first_[b] += first_[b - 1];
}

void PrefixIndex::narrow(uint32_t& low, uint32_t& high, size_t depth, unsigned char byte) const {
  const auto byte_at = [depth](const Entry& entry) {
    return static_cast<unsigned char>(entry.text[depth]);
  };
  const auto range =
      std::ranges::equal_range(entries_.begin() + low, entries_.begin() + high, byte, {}, byte_at);
  low = static_cast<uint32_t>(range.begin() - entries_.begin());
  high = static_cast<uint32_t>(range.end() - entries_.begin());
}

}  // namespace nibble::text
