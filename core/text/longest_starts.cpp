#include "core/text/longest_starts.h"

#include <algorithm>
#include <numeric>

namespace nibble::text {
namespace {

unsigned char from_end(std::string_view text, size_t depth) {
  return static_cast<unsigned char>(text[text.size() - 1 - depth]);
}

// Strings that are alike in their last `depth` bytes, which are a node's.
struct Alike {
  size_t begin, end, depth;
};

}  // namespace

Result<LongestStarts> LongestStarts::make(const std::vector<std::string_view>& strings) {
  size_t n_bytes = 0;
  for (const std::string_view s : strings) n_bytes += s.size();
  if (n_bytes > kMaxBytes)
    return unsupported("tokens that are cut out first: {} bytes, at most {} are read", n_bytes,
                       kMaxBytes);
  std::vector<size_t> order(strings.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    return std::ranges::lexicographical_compare(strings[a].rbegin(), strings[a].rend(),
                                                strings[b].rbegin(), strings[b].rend());
  });
  LongestStarts out;
  out.nodes_.resize(1);
  std::vector<Alike> alike = {{0, strings.size(), 0}};  // by node
  for (size_t node = 0; node < alike.size(); ++node) {
    auto [at, end, depth] = alike[node];
    if (depth > 0 && strings[order[at]].size() == depth)
      out.nodes_[node].longest = static_cast<int32_t>(order[at]);
    while (at < end && strings[order[at]].size() == depth) ++at;
    out.nodes_[node].first = static_cast<uint32_t>(alike.size());
    while (at < end) {
      const unsigned char byte = from_end(strings[order[at]], depth);
      const size_t begin = at;
      while (at < end && from_end(strings[order[at]], depth) == byte) ++at;
      alike.push_back({begin, at, depth + 1});
      out.nodes_.push_back({.byte = byte});
    }
    out.nodes_[node].n_next = static_cast<uint32_t>(alike.size()) - out.nodes_[node].first;
  }
  out.set_fallbacks();
  return out;
}

void LongestStarts::set_fallbacks() {
  for (uint32_t i = 0; i < nodes_[0].n_next; ++i)
    from_root_[nodes_[nodes_[0].first + i].byte] = nodes_[0].first + i;
  for (uint32_t node = 1; node < nodes_.size(); ++node) {  // shorter ones are done
    const Node& n = nodes_[node];
    if (n.longest < 0) nodes_[node].longest = nodes_[n.fallback].longest;
    for (uint32_t i = n.first; i < n.first + n.n_next; ++i)
      nodes_[i].fallback = step(n.fallback, nodes_[i].byte);
  }
}

uint32_t LongestStarts::next(uint32_t node, unsigned char byte) const {
  if (node == 0) return from_root_[byte];
  const auto begin = nodes_.begin() + nodes_[node].first, end = begin + nodes_[node].n_next;
  const auto at = std::ranges::lower_bound(begin, end, byte, {}, &Node::byte);
  return at != end && at->byte == byte ? static_cast<uint32_t>(at - nodes_.begin()) : 0;
}

uint32_t LongestStarts::step(uint32_t node, unsigned char byte) const {
  uint32_t to = next(node, byte);
  for (; to == 0 && node != 0; to = next(node, byte)) node = nodes_[node].fallback;
  return to;
}

std::vector<int32_t> LongestStarts::find(std::string_view text) const {
  std::vector<int32_t> out(text.size());
  uint32_t node = 0;
  for (size_t i = text.size(); i-- > 0;) {
    node = step(node, static_cast<unsigned char>(text[i]));
    out[i] = nodes_[node].longest;
  }
  return out;
}

}  // namespace nibble::text
