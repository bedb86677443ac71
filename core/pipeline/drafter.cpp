#include "core/pipeline/drafter.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace nibble {
namespace {

uint64_t hash_of(std::span<const TokenId> gram) {
  uint64_t hash = gram.size();
  for (const TokenId id : gram)
    hash = (hash ^ static_cast<uint32_t>(id)) * 0x9E3779B97F4A7C15u;  // Fibonacci hashing
  return hash;
}

// The likeliest token, or nothing where its probability is below `least`.
std::optional<TokenId> sure_token(std::span<const float> logits, float least) {
  const auto best = std::ranges::max_element(logits);
  float sum = 0;
  for (const float logit : logits)
    if (logit > *best - 20) sum += std::exp(logit - *best);  // others add less than 1e-8 each
  if (1 / sum < least) return std::nullopt;
  return static_cast<TokenId>(best - logits.begin());
}

std::unexpected<Error> of_draft(const Error& error) {
  return std::unexpected(Error{error.kind, "the draft model: " + error.message});
}

}  // namespace

// Grams whose next token is known; text may have been changed anywhere since the last call.
void LookupDrafter::index(std::span<const TokenId> text) {
  size_t from = indexed_.size();
  if (from > text.size() || !std::ranges::equal(indexed_, text.first(from))) {
    follows_.clear();
    from = 0;
  }
  for (size_t next = std::max<size_t>(from, 1); next < text.size(); ++next)
    for (size_t n = kLeastGram; n <= kMostGram && n <= next; ++n)
      follows_[hash_of(text.subspan(next - n, n))] = next;
  indexed_.assign(text.begin(), text.end());
}

Result<void> LookupDrafter::draft(std::span<const TokenId> text, int n, std::vector<TokenId>& out) {
  index(text);
  for (size_t gram = kMostGram; gram >= kLeastGram; --gram) {
    if (gram > text.size()) continue;
    const auto found = follows_.find(hash_of(text.last(gram)));
    if (found == follows_.end()) continue;
    // A text that repeats itself goes on doing so past its end.
    const size_t first = out.size();
    for (size_t at = found->second; n > 0; ++at, --n)
      out.push_back(at < text.size() ? text[at] : out[first + at - text.size()]);
    break;
  }
  return {};
}

bool ModelDrafter::knows(std::span<const TokenId> text) const {
  return std::ranges::all_of(text, [&](TokenId id) { return id < n_vocab_; });
}

// Leaves in the cache what text begins with, but for its last token; returns what is to be run.
std::span<const TokenId> ModelDrafter::fresh_part(std::span<const TokenId> text) {
  return text.subspan(static_cast<size_t>(engine_.keep_prefix(text.first(text.size() - 1))));
}

// Runs what is new in text and gives the logits behind it.
Result<std::span<const float>> ModelDrafter::follow(std::span<const TokenId> text) {
  const auto fresh = fresh_part(text);
  if (std::cmp_greater(fresh.size(), engine_.decode_room())) return engine_.prefill(fresh);
  NIBBLE_TRY(const auto rows, engine_.decode(fresh));
  return std::span(rows.row(rows.rows - 1), static_cast<size_t>(rows.cols));
}

Result<void> ModelDrafter::prepare(std::span<const TokenId> text) {
  if (!knows(text)) return {};
  const auto fresh = fresh_part(text);
  if (fresh.size() <= Engine::kMostDecoded) return {};
  const auto run = engine_.prefill(fresh.first(fresh.size() - 1));
  if (!run) return of_draft(run.error());
  return {};
}

Result<void> ModelDrafter::draft(std::span<const TokenId> text, int n, std::vector<TokenId>& out) {
  if (!knows(text)) return {};
  auto logits = follow(text);
  for (; logits && n > 0; --n) {
    const auto id = sure_token(*logits, kLeastProbability);
    if (!id || *id >= n_vocab_) return {};
    out.push_back(*id);
    if (n == 1 || engine_.decode_room() < 1) return {};
    logits = engine_.decode(*id);
  }
  return logits ? Result<void>{} : of_draft(logits.error());
}

}  // namespace nibble
