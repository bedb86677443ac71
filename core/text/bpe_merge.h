// Byte-pair merging of one word: the adjacent pair of lowest rank is joined, the leftmost of
// equals, until no pair has a rank (Sennrich 2016, arXiv:1508.07909). Which pairs have one is the
// caller's matter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/hash.h"
#include "core/text/tokenizer.h"

namespace nibble::text {

inline constexpr uint32_t kNoRank = std::numeric_limits<uint32_t>::max();

struct Merge {
  uint32_t rank = kNoRank;
  TokenId id = -1;
};

// A token within a word: its text is word[begin, end), or nothing (begin == end) for one that is
// not text of the word.
struct Symbol {
  TokenId id;
  uint32_t begin, end;
};

struct BpeScratch {
  struct Candidate {
    uint32_t rank, left;
    TokenId left_id, right_id, id;
    bool operator>(const Candidate& o) const {
      return rank != o.rank ? rank > o.rank : left > o.left;
    }
  };
  std::vector<Symbol> symbols;
  std::vector<Merge> merges;                         // of symbols i and i + 1
  std::vector<std::pair<uint32_t, uint32_t>> links;  // previous and next of each symbol
  std::vector<Candidate> heap;
};

// Pair to merge, from a list of rules.
class MergeTable {
 public:
  void reserve(size_t n_rules);
  void add(TokenId left, TokenId right, Merge merge);  // a rule given twice takes the later rank
  Merge find(TokenId left, TokenId right) const {
    if (slots_.empty()) return {};
    const size_t mask = slots_.size() - 1;
    for (size_t i = start(left, right) & mask;; i = (i + 1) & mask) {
      const Slot& slot = slots_[i];
      if (slot.left == left && slot.right == right) return slot.merge;
      if (slot.left < 0) return {};
    }
  }
  size_t size() const { return n_; }
  // Each rule, in no order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_)
      if (slot.left >= 0) visit(slot.left, slot.right, slot.merge);
  }
  void prefetch(TokenId left, TokenId right) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[start(left, right) & (slots_.size() - 1)]);
  }

 private:
  struct Slot {
    TokenId left = -1, right = -1;
    Merge merge;
  };
  static size_t start(TokenId left, TokenId right) {
    return hash_pair(static_cast<uint32_t>(left), static_cast<uint32_t>(right));
  }
  std::vector<Slot> slots_;  // open addressing, at most half full
  size_t n_ = 0;
};

inline constexpr size_t kShortWord =
    40;  // symbols; above, the heap pays (measured on words of one repeated letter)

// merge_of(left, right) gives the Merge of two adjacent symbols. scratch.symbols: the word,
// replaced by the result.
template <class MergeOf>
void merge_short(BpeScratch& scratch, MergeOf merge_of) {
  auto& s = scratch.symbols;
  auto& m = scratch.merges;
  m.clear();
  for (size_t i = 0; i + 1 < s.size(); ++i) m.push_back(merge_of(s[i], s[i + 1]));
  while (!m.empty()) {
    const auto best = std::ranges::min_element(m, {}, &Merge::rank);
    if (best->rank == kNoRank) return;
    const auto i = best - m.begin();
    s[i] = {best->id, s[i].begin, s[i + 1].end};
    s.erase(s.begin() + i + 1);
    m.erase(best);
    if (i > 0) m[i - 1] = merge_of(s[i - 1], s[i]);
    if (static_cast<size_t>(i) < m.size()) m[i] = merge_of(s[i], s[i + 1]);
  }
}

template <class MergeOf>
void merge_long(BpeScratch& scratch, MergeOf merge_of) {
  auto& s = scratch.symbols;
  auto& links = scratch.links;
  auto& heap = scratch.heap;
  const auto n = static_cast<uint32_t>(s.size());
  links.resize(n);
  heap.clear();
  const auto consider = [&](uint32_t left, uint32_t right) {
    const Merge merge = merge_of(s[left], s[right]);
    if (merge.rank == kNoRank) return;
    heap.push_back({merge.rank, left, s[left].id, s[right].id, merge.id});
    std::ranges::push_heap(heap, std::greater<>());
  };
  for (uint32_t i = 0; i < n; ++i) links[i] = {i - 1, i + 1};  // the first's previous is no index
  for (uint32_t i = 0; i + 1 < n; ++i) consider(i, i + 1);
  while (!heap.empty()) {
    std::ranges::pop_heap(heap, std::greater<>());
    const auto top = heap.back();
    heap.pop_back();
    const uint32_t right = links[top.left].second;
    if (s[top.left].id != top.left_id || right >= n || s[right].id != top.right_id) continue;
    s[top.left] = {top.id, s[top.left].begin, s[right].end};
    s[right].id = -1;  // gone
    const uint32_t next = links[top.left].second = links[right].second;
    if (next < n) {
      links[next].first = top.left;
      consider(top.left, next);
    }
    if (const uint32_t previous = links[top.left].first; previous < n) consider(previous, top.left);
  }
  std::erase_if(s, [](const Symbol& symbol) { return symbol.id < 0; });
}

template <class MergeOf>
void merge_word(BpeScratch& scratch, MergeOf merge_of) {
  scratch.symbols.size() <= kShortWord ? merge_short(scratch, merge_of)
                                       : merge_long(scratch, merge_of);
}

}  // namespace nibble::text
