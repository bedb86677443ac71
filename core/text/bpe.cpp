#include "core/text/bpe.h"

#include <algorithm>

#include "core/text/byte_level.h"
#include "core/text/utf8.h"

namespace nibble::text {

Bpe::Bpe(std::shared_ptr<const Vocabulary> vocabulary, BpeOptions options, MergeTable merges,
         std::vector<uint32_t> ranks)
    : vocabulary_(std::move(vocabulary)),
      options_(std::move(options)),
      merges_(std::move(merges)),
      ranks_(std::move(ranks)) {
  for (int b = 0; b < 256; ++b) {
    const auto value = static_cast<unsigned char>(b);
    fallback_ids_[b] = options_.byte_fallback ? find(byte_token(value)) : kNoToken;
    byte_ids_[b] = options_.maps_bytes ? find(byte_to_text(value)) : fallback_ids_[b];
    all_bytes_ = all_bytes_ && byte_ids_[b] != kNoToken;
  }
  const bool whole_words = options_.ignore_merges || !options_.continuing_subword_prefix.empty() ||
                           !options_.end_of_word_suffix.empty();
  const bool fuses = options_.fuse_unk && !all_bytes_;
  // What vanishes leaves its neighbours side by side, so they may merge.
  const bool drops = options_.unk == kNoToken && !all_bytes_;
  if (!options_.maps_bytes && !whole_words && !fuses && !drops)
    cuts_ = SafeCuts(vocabulary_->texts());
}

TokenId Bpe::find(std::string_view text) const {
  const TokenId id = vocabulary_->find(text);
  return id < options_.n_model ? id : kNoToken;
}

void Bpe::cut(std::string_view word, FunctionRef<void(std::string_view)> part) const {
  if (!cuts_.usable()) return part(word);
  size_t begin = 0;
  char32_t last = decode_utf8(word.data());
  for (size_t i = utf8_length(static_cast<unsigned char>(word[0])); i < word.size();
       i += utf8_length(static_cast<unsigned char>(word[i]))) {
    const char32_t next = decode_utf8(word.data() + i);
    if (cuts_.between(last, next)) {
      part(word.substr(begin, i - begin));
      begin = i;
    }
    last = next;
  }
  part(word.substr(begin));
}

void Bpe::encode(std::string_view word, ModelScratch& scratch, std::vector<TokenId>& out) const {
  auto& symbols = scratch.bpe.symbols;
  symbols.clear();
  const bool by_bytes = options_.maps_bytes && all_bytes_ && ranks_.empty();
  if (options_.maps_bytes && (!by_bytes || options_.ignore_merges)) {
    scratch.mapped.clear();
    append_byte_level(scratch.mapped, word);
  }
  const std::string_view text = options_.maps_bytes ? scratch.mapped : word;
  if (options_.ignore_merges)
    if (const TokenId whole = find(text); whole != kNoToken) return out.push_back(whole);
  if (by_bytes) {
    for (const char b : word) symbols.push_back({byte_ids_[static_cast<unsigned char>(b)], 0, 0});
  } else {
    add_code_points(text, symbols);
  }
  if (ranks_.empty()) {
    merge_word(scratch.bpe,
               [this](const Symbol& l, const Symbol& r) { return merges_.find(l.id, r.id); });
  } else {
    merge_word(scratch.bpe,
               [this, text](const Symbol& l, const Symbol& r) { return merge_of(text, l, r); });
  }
  for (const Symbol& symbol : symbols) out.push_back(symbol.id);
}

// By score: the joined text has to be a token.
Merge Bpe::merge_of(std::string_view word, const Symbol& left, const Symbol& right) const {
  if (left.begin == left.end || right.begin == right.end) return {};
  const TokenId id = find(word.substr(left.begin, right.end - left.begin));
  return id == kNoToken ? Merge{} : Merge{ranks_[static_cast<size_t>(id)], id};
}

// One symbol for each code point; what has no token becomes bytes, or unk: one for each, or one for
// a run of them.
void Bpe::add_code_points(std::string_view word, std::vector<Symbol>& symbols) const {
  std::string decorated;
  bool in_unknown = false;
  for (size_t i = 0, next; i < word.size(); i = next) {
    next = i + utf8_length(static_cast<unsigned char>(word[i]));
    std::string_view text = word.substr(i, next - i);
    const bool prefix = i > 0 && !options_.continuing_subword_prefix.empty();
    const bool suffix = next == word.size() && !options_.end_of_word_suffix.empty();
    if (prefix || suffix) {
      decorated = prefix ? options_.continuing_subword_prefix : "";
      decorated += text;
      if (suffix) decorated += options_.end_of_word_suffix;
      text = decorated;
    }
    const TokenId id = find(text);
    if (id != kNoToken) {
      symbols.push_back({id, static_cast<uint32_t>(i), static_cast<uint32_t>(next)});
      in_unknown = false;
    } else if (!(options_.byte_fallback && add_bytes(text, symbols)) && options_.unk != kNoToken) {
      if (!in_unknown || !options_.fuse_unk) symbols.push_back({options_.unk, 0, 0});
      in_unknown = true;
    }
  }
}

bool Bpe::add_bytes(std::string_view code_point, std::vector<Symbol>& symbols) const {
  const auto id_of = [this](char b) { return fallback_ids_[static_cast<unsigned char>(b)]; };
  if (std::ranges::any_of(code_point, [&](char b) { return id_of(b) == kNoToken; })) return false;
  for (const char b : code_point) symbols.push_back({id_of(b), 0, 0});
  return true;
}

}  // namespace nibble::text
