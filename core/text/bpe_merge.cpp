#include "core/text/bpe_merge.h"

#include <bit>

namespace nibble::text {

void MergeTable::reserve(size_t n_rules) {
  if (n_rules * 2 <= slots_.size()) return;
  std::vector<Slot> old(std::bit_ceil(n_rules * 2 + 2));
  old.swap(slots_);
  n_ = 0;
  for (const Slot& slot : old)
    if (slot.left >= 0) add(slot.left, slot.right, slot.merge);
}

void MergeTable::add(TokenId left, TokenId right, Merge merge) {
  if ((n_ + 1) * 2 > slots_.size()) reserve((n_ + 1) * 2);
  const size_t mask = slots_.size() - 1;
  size_t i = start(left, right) & mask;
  while (slots_[i].left >= 0 && (slots_[i].left != left || slots_[i].right != right))
    i = (i + 1) & mask;
  if (slots_[i].left < 0) ++n_;
  slots_[i] = {left, right, merge};
}

}  // namespace nibble::text
