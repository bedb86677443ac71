#include "core/text/pipeline.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "core/base/json.h"
#include "core/text/fields.h"
#include "core/text/hash.h"
#include "core/text/read_model.h"
#include "core/text/utf8.h"
#include "core/text/word_cache.h"

namespace nibble::text {
namespace {

// What one encode() at a time works with.
struct Scratch {
  PreTokenizeScratch pre;
  ModelScratch model;
  WordCache words;
};

class ScratchPool {
 public:
  std::unique_ptr<Scratch> take() const {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Scratch>();
    auto scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
  }
  void give_back(std::unique_ptr<Scratch> scratch) const {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(scratch));
  }

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> free_;
};

struct Parts {
  std::shared_ptr<const Vocabulary> vocabulary;
  AddedTokens added, added_normalized;
  std::unique_ptr<Normalizer> normalizer;  // may be missing
  PreTokenizer pre;
  std::unique_ptr<SubwordModel> model;
  Affixes affixes;
  std::unique_ptr<Decoder> decoder;
  std::map<TokenId, std::string> shown;  // texts of added tokens that the normalizer changes
  std::vector<bool> control;
  std::optional<TokenId> bos, eos;
  std::vector<TokenId> ends;
};

// One encode(): the ids so far and what it works with.
class Encoding {
 public:
  Encoding(const Parts& parts, Scratch& scratch, const EncodeOptions& options)
      : parts_(parts), scratch_(scratch), options_(options) {}

  Result<std::vector<TokenId>> run(std::string_view text) {
    ids_.reserve(text.size() / 3 + 8);
    scratch_.pre.budget = WorkBudget(text.size());
    if (options_.add_special) append(parts_.affixes.before);
    const auto sink = [&](TokenId id, size_t begin, size_t end) {
      if (id != kNoToken)
        ids_.push_back(id);
      else
        stretch(text.substr(begin, end - begin), begin == 0);
    };
    parts_.added.split(text, options_.parse_special, options_.plain_at, sink);
    if (options_.add_special) append(parts_.affixes.after);
    if (failure_) return std::unexpected(*failure_);
    if (scratch_.pre.over_budget)
      return invalid_input("the tokenizer gave up on splitting a text of {} bytes", text.size());
    return std::move(ids_);
  }

 private:
  void append(const std::vector<TokenId>& ids) { ids_.insert(ids_.end(), ids.begin(), ids.end()); }

  // A stretch of the input: what is valid UTF-8 of it, and the bytes between.
  void stretch(std::string_view text, bool begins_text) {
    for (bool continues = false; !text.empty(); continues = true, begins_text = false) {
      const size_t valid = valid_utf8_prefix(text);
      if (valid > 0) valid_text({text.substr(0, valid), begins_text, continues});
      text.remove_prefix(valid);
      while (!text.empty() && !utf8_head(text).valid) {
        ids_.push_back(parts_.model->byte(static_cast<unsigned char>(text[0])));
        text.remove_prefix(1);
      }
    }
  }

  void valid_text(Piece piece) {
    std::string normalized;
    if (parts_.normalizer) {
      normalized = piece.text;
      auto done = parts_.normalizer->apply(normalized, !piece.continues, scratch_.pre.regex,
                                           scratch_.pre.budget);
      if (!done && !failure_) failure_ = done.error();
      if (failure_) return;
      piece.text = normalized;
    }
    if (parts_.added_normalized.empty()) return words(piece);
    const auto sink = [&](TokenId id, size_t begin, size_t end) {
      if (id != kNoToken) return ids_.push_back(id);
      words({piece.text.substr(begin, end - begin), piece.begins_text && begin == 0,
             piece.continues && begin == 0});
    };
    // Normalizing moves bytes: with plain_at, special tokens that are looked for here are all text.
    const bool parse_special = options_.parse_special && options_.plain_at.empty();
    parts_.added_normalized.split(piece.text, parse_special, {}, sink);
  }

  void words(const Piece& piece) {
    if (piece.text.empty()) return;
    const auto sink = [this](const Piece& word) {
      parts_.model->cut(word.text, [this](std::string_view part) { encode_word(part); });
    };
    parts_.pre.run(piece, scratch_.pre, sink);
  }

  void encode_word(std::string_view word) {
    if (word.size() > WordCache::kLongest) return parts_.model->encode(word, scratch_.model, ids_);
    const uint64_t hash = hash_bytes(word);
    if (scratch_.words.find(word, hash, ids_)) return;
    const size_t before = ids_.size();
    parts_.model->encode(word, scratch_.model, ids_);
    scratch_.words.add(word, hash, std::span(ids_).subspan(before));
  }

  const Parts& parts_;
  Scratch& scratch_;
  const EncodeOptions& options_;
  std::vector<TokenId> ids_;
  std::optional<Error> failure_;
};

class Pipeline final : public Tokenizer {
 public:
  explicit Pipeline(Parts parts) : parts_(std::move(parts)) {
    for (int b = 0x80; b < 0x100; ++b)
      has_bytes_ = has_bytes_ && parts_.model->byte(static_cast<unsigned char>(b)) != kNoToken;
  }

  Result<std::vector<TokenId>> encode(std::string_view text, EncodeOptions options) const override {
    std::string repaired;
    if (!has_bytes_ && valid_utf8_prefix(text) != text.size()) {
      append_lossy(repaired, text);
      text = repaired;
      options.parse_special = options.parse_special && options.plain_at.empty();
    }
    auto scratch = pool_.take();
    scratch->pre.over_budget = false;
    auto ids = Encoding(parts_, *scratch, options).run(text);
    pool_.give_back(std::move(scratch));
    return ids;
  }

  Result<std::string> decode(std::span<const TokenId> ids) const override {
    std::vector<std::string> tokens;
    tokens.reserve(ids.size());
    size_t n_bytes = 0;
    for (const TokenId id : ids) {
      if (!parts_.vocabulary->has(id))
        return invalid_input("token id {} is outside of the vocabulary of {}", id, n_vocab());
      append_lossy(tokens.emplace_back(), shown_text(id));
      n_bytes += tokens.back().size();
    }
    RegexScratch scratch;
    WorkBudget budget(n_bytes);
    NIBBLE_CHECK(parts_.decoder->apply(tokens, scratch, budget));
    std::string out;
    for (const std::string& token : tokens) out += token;
    return out;
  }

  std::string piece(TokenId id, bool special) const override {
    if (!parts_.vocabulary->has(id) || (is_control(id) && !special)) return {};
    std::string token(shown_text(id));
    auto scratch = pool_.take();
    WorkBudget budget(token.size());
    const auto done = parts_.decoder->piece(token, scratch->pre.regex, budget);
    pool_.give_back(std::move(scratch));
    return done ? token : std::string(shown_text(id));
  }

  int n_vocab() const override { return parts_.vocabulary->size(); }
  std::string_view token_text(TokenId id) const override {
    return parts_.vocabulary->has(id) ? parts_.vocabulary->text(id) : std::string_view();
  }
  std::optional<TokenId> find(std::string_view text) const override {
    const TokenId id = parts_.vocabulary->find(text);
    return id == kNoToken ? std::nullopt : std::optional(id);
  }
  bool is_control(TokenId id) const override {
    return parts_.vocabulary->has(id) && parts_.control[static_cast<size_t>(id)];
  }
  std::optional<TokenId> bos() const override { return parts_.bos; }
  std::optional<TokenId> eos() const override { return parts_.eos; }
  bool adds_bos() const override {
    const auto& before = parts_.affixes.before;
    return parts_.bos && !before.empty() && before.front() == *parts_.bos;
  }
  bool is_end(TokenId id) const override { return std::ranges::binary_search(parts_.ends, id); }
  std::span<const TokenId> end_tokens() const override { return parts_.ends; }
  std::string_view kind() const override { return parts_.model->kind(); }

 private:
  std::string_view shown_text(TokenId id) const {
    const auto other = parts_.shown.find(id);
    return other == parts_.shown.end() ? token_text(id) : other->second;
  }

  Parts parts_;
  ScratchPool pool_;
  bool has_bytes_ = true;
};

// Where each added token is looked for: in the text, or in the normalized text as the normalizer
// leaves it.
Result<void> place_added(const std::vector<AddedToken>& added, Parts& parts) {
  std::vector<AddedTokens::Item> plain, normalized;
  RegexScratch scratch;
  size_t n_bytes = 0;
  for (const AddedToken& token : added) n_bytes += token.content.size();
  WorkBudget budget(n_bytes);
  for (const AddedToken& token : added) {
    std::string text = token.content;
    if (token.normalized && parts.normalizer)
      NIBBLE_CHECK(parts.normalizer->apply(text, true, scratch, budget));
    if (text != token.content) parts.shown[token.id] = text;
    (token.normalized ? normalized : plain).push_back({std::move(text), token});
  }
  NIBBLE_TRY(parts.added, AddedTokens::make(std::move(plain)));
  NIBBLE_TRY(parts.added_normalized, AddedTokens::make(std::move(normalized)));
  return {};
}

const Json& member(const Json& pipeline, std::string_view key) {
  static const Json kNull;
  const auto found = pipeline.find(key);
  return found == pipeline.end() ? kNull : *found;
}
}  // namespace

Result<std::unique_ptr<Tokenizer>> make_tokenizer(TokenizerSource source) {
  Parts parts;
  parts.vocabulary = source.vocabulary;
  const auto n_vocab = static_cast<size_t>(source.vocabulary->size());
  const auto inside = [&](TokenId id) { return source.vocabulary->has(id); };
  if (const Json& json = member(source.pipeline, "normalizer"); !json.is_null()) {
    NIBBLE_TRY(parts.normalizer, read_normalizer(json));
  }
  NIBBLE_TRY(parts.pre, PreTokenizer::read(member(source.pipeline, "pre_tokenizer")));
  NIBBLE_TRY(parts.affixes,
             read_affixes(member(source.pipeline, "post_processor"), *parts.vocabulary));
  NIBBLE_TRY(parts.decoder, read_decoder(member(source.pipeline, "decoder")));
  NIBBLE_CHECK(place_added(source.added, parts));
  parts.control.assign(n_vocab, false);
  for (const AddedToken& token : source.added)
    if (token.special && inside(token.id)) parts.control[static_cast<size_t>(token.id)] = true;
  for (const TokenId id : source.control)
    if (inside(id)) parts.control[static_cast<size_t>(id)] = true;
  if (source.bos && inside(*source.bos)) parts.bos = source.bos;
  if (source.eos && inside(*source.eos)) parts.eos = source.eos;
  if (parts.eos) source.ends.push_back(*parts.eos);
  std::ranges::sort(source.ends);
  for (const TokenId id : source.ends)
    if (inside(id) && (parts.ends.empty() || parts.ends.back() != id)) parts.ends.push_back(id);
  NIBBLE_TRY(parts.model, read_model(member(source.pipeline, "model"), parts.pre.maps_bytes(),
                                     std::move(source)));
  return std::make_unique<Pipeline>(std::move(parts));
}

}  // namespace nibble::text
