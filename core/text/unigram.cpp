#include "core/text/unigram.h"

#include <algorithm>
#include <limits>

#include "core/text/utf8.h"

namespace nibble::text {
namespace {
constexpr double kUnkPenalty = 10;  // below the worst score, as SentencePiece has it
constexpr double kNone = -std::numeric_limits<double>::infinity();
}  // namespace

Unigram::Unigram(std::shared_ptr<const Vocabulary> vocabulary, UnigramOptions options,
                 std::vector<double> scores)
    : vocabulary_(std::move(vocabulary)), options_(options), scores_(std::move(scores)) {
  std::vector<PrefixIndex::Entry> entries;
  const size_t n = std::min(scores_.size(), static_cast<size_t>(options_.n_model));
  for (size_t id = 0; id < n; ++id)
    entries.push_back({vocabulary_->text(static_cast<TokenId>(id)), static_cast<TokenId>(id)});
  index_ = PrefixIndex(std::move(entries));
  const double worst = scores_.empty() ? 0 : *std::ranges::min_element(scores_);
  unk_score_ = worst - kUnkPenalty;
  for (int b = 0; b < 256; ++b)
    byte_ids_[b] = vocabulary_->find(byte_token(static_cast<unsigned char>(b)));
}

// Best score, last token and its beginning for every end within the word.
void Unigram::score(std::string_view word, ModelScratch& scratch) const {
  scratch.scores.assign(word.size() + 1, kNone);
  scratch.best.assign(word.size() + 1, kNoToken);
  scratch.begins.assign(word.size() + 1, 0);
  scratch.scores[0] = 0;
  const auto reach = [&](size_t begin, size_t end, TokenId id, double score) {
    if (scratch.scores[end] != kNone && score <= scratch.scores[end]) return;
    scratch.scores[end] = score;
    scratch.best[end] = id;
    scratch.begins[end] = static_cast<uint32_t>(begin);
  };
  for (size_t i = 0, n; i < word.size(); i += n) {
    n = static_cast<size_t>(utf8_length(static_cast<unsigned char>(word[i])));
    bool single = false;
    index_.each_prefix(word.substr(i), [&](size_t length, TokenId id) {
      reach(i, i + length, id, scratch.scores[i] + scores_[static_cast<size_t>(id)]);
      single = single || length == n;
    });
    if (!single) reach(i, i + n, options_.unk, scratch.scores[i] + unk_score_);
  }
}

void Unigram::encode(std::string_view word, ModelScratch& scratch,
                     std::vector<TokenId>& out) const {
  score(word, scratch);
  const size_t first = out.size();
  std::vector<std::pair<size_t, size_t>> unknown;  // where a run of unknown text stands in word
  for (size_t end = word.size(); end > 0; end = scratch.begins[end]) {
    const bool known = scratch.best[end] != options_.unk;
    const bool joins = !known && out.size() > first && out.back() == kNoToken;
    if (joins) {
      unknown.back().first = scratch.begins[end];
      continue;
    }
    out.push_back(known ? scratch.best[end] : kNoToken);
    if (!known) unknown.emplace_back(scratch.begins[end], end);
  }
  std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
  if (unknown.empty()) return;
  const std::vector<TokenId> ids(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
  out.resize(first);
  for (const TokenId id : ids) {
    if (id != kNoToken) {
      out.push_back(id);
      continue;
    }
    append_unknown(word.substr(unknown.back().first, unknown.back().second - unknown.back().first),
                   out);
    unknown.pop_back();
  }
}

void Unigram::append_unknown(std::string_view text, std::vector<TokenId>& out) const {
  const TokenId whole = vocabulary_->find(text);
  if (whole != kNoToken && whole < options_.n_model) return out.push_back(whole);
  const auto id_of = [this](char b) { return byte(static_cast<unsigned char>(b)); };
  const bool bytes = std::ranges::none_of(text, [&](char b) { return id_of(b) == kNoToken; });
  if (bytes) {
    for (const char b : text) out.push_back(id_of(b));
  } else if (options_.unk != kNoToken) {
    out.push_back(options_.unk);
  }
}

}  // namespace nibble::text
