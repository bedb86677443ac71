#include "core/text/merge_list.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace nibble::text {
namespace {

std::string pair_text(std::string_view left, std::string_view right) {
  std::string out;
  out.reserve(left.size() + right.size() + 1);
  out += left;
  out += ' ';
  out += right;
  return out;
}

}  // namespace

std::vector<std::string> merges_of(const MergeTable& table, const Vocabulary& vocabulary) {
  struct Rule {
    uint32_t rank;
    TokenId left, right;
  };
  std::vector<Rule> rules;
  rules.reserve(table.size());
  table.for_each([&](TokenId left, TokenId right, const Merge& merge) {
    rules.push_back({merge.rank, left, right});
  });
  std::ranges::sort(rules, {}, &Rule::rank);
  std::vector<std::string> out;
  out.reserve(rules.size());
  for (const Rule& rule : rules)
    out.push_back(pair_text(vocabulary.text(rule.left), vocabulary.text(rule.right)));
  return out;
}

std::vector<std::string> merges_of_ranks(std::span<const uint32_t> ranks,
                                         const Vocabulary& vocabulary) {
  std::vector<TokenId> order(ranks.size());
  std::iota(order.begin(), order.end(), TokenId{0});
  std::erase_if(order, [&](TokenId id) { return ranks[static_cast<size_t>(id)] == kNoRank; });
  std::ranges::stable_sort(order, {}, [&](TokenId id) { return ranks[static_cast<size_t>(id)]; });
  std::vector<std::string> out;
  const auto is_token = [&](std::string_view text) {
    const TokenId id = vocabulary.find(text);
    return id != kNoToken && static_cast<size_t>(id) < ranks.size() &&
           ranks[static_cast<size_t>(id)] != kNoRank;
  };
  for (const TokenId id : order) {
    const std::string_view text = vocabulary.text(id);
    for (size_t cut = 1; cut < text.size(); ++cut)
      if (is_token(text.substr(0, cut)) && is_token(text.substr(cut)))
        out.push_back(pair_text(text.substr(0, cut), text.substr(cut)));
  }
  return out;
}

std::vector<uint32_t> ranks_of(const MergeTable& table, size_t n) {
  std::vector<uint32_t> ranks(n, kNoRank);
  table.for_each([&](TokenId, TokenId, const Merge& merge) {
    uint32_t& rank = ranks[static_cast<size_t>(merge.id)];
    rank = std::min(rank, merge.rank);
  });
  return ranks;
}

uint32_t rank_of_score(float score) {
  const auto bits = std::bit_cast<uint32_t>(score);
  return ~(bits >> 31 ? ~bits : bits | 0x80000000u);
}

float score_of_rank(uint32_t rank) {
  const uint32_t rising = ~rank;
  return std::bit_cast<float>(rising >> 31 ? rising & 0x7fffffffu : ~rising);
}

}  // namespace nibble::text
