#include "core/text/read_model.h"

#include "core/text/bpe.h"
#include "core/text/fields.h"
#include "core/text/unigram.h"
#include "core/text/word_piece.h"

namespace nibble::text {
namespace {

// What stands before or behind a word's parts is joined to each of them.
Result<std::string> affix(const Fields& fields, const char* name, const char* otherwise = "") {
  constexpr size_t kLongest = 64;  // bytes
  NIBBLE_TRY(std::string text, fields.string(name, otherwise));
  if (text.size() > kLongest)
    return unsupported("model: {} of {} bytes, at most {} are read", name, text.size(), kLongest);
  return text;
}

// The id of the unknown token by its text; kNoToken when none is named. Named and missing is a
// fault.
Result<TokenId> unknown_token(const Fields& fields, const Vocabulary& vocabulary) {
  NIBBLE_TRY(const std::string text, fields.string("unk_token", ""));
  if (text.empty()) return kNoToken;
  const TokenId id = vocabulary.find(text);
  if (id == kNoToken)
    return corrupt("model: the unknown token '{}' is not in the vocabulary", text);
  return id;
}

Result<std::unique_ptr<SubwordModel>> read_bpe(const Fields& fields, bool maps_bytes,
                                               TokenizerSource&& source) {
  BpeOptions options;
  options.maps_bytes = maps_bytes;
  options.n_model = source.n_model;
  const Json* dropout = fields.find("dropout");
  if (dropout && *dropout != 0.0) return unsupported("model BPE: dropout is not built in");
  NIBBLE_TRY(options.ignore_merges, fields.boolean("ignore_merges", false));
  NIBBLE_TRY(options.byte_fallback, fields.boolean("byte_fallback", false));
  NIBBLE_TRY(options.fuse_unk, fields.boolean("fuse_unk", false));
  NIBBLE_TRY(options.unk, unknown_token(fields, *source.vocabulary));
  NIBBLE_TRY(options.continuing_subword_prefix, affix(fields, "continuing_subword_prefix"));
  NIBBLE_TRY(options.end_of_word_suffix, affix(fields, "end_of_word_suffix"));
  return std::make_unique<Bpe>(source.vocabulary, std::move(options), std::move(source.merges),
                               std::move(source.ranks));
}

Result<std::unique_ptr<SubwordModel>> read_unigram(const Fields& fields, TokenizerSource&& source) {
  UnigramOptions options;
  options.n_model = source.n_model;
  NIBBLE_TRY(options.byte_fallback, fields.boolean("byte_fallback", false));
  NIBBLE_TRY(const int64_t unk, fields.integer("unk_id", -1));
  if (unk >= source.n_model) return corrupt("model: unk_id {} is not in the vocabulary", unk);
  options.unk = unk < 0 ? kNoToken : static_cast<TokenId>(unk);
  return std::make_unique<Unigram>(source.vocabulary, options, std::move(source.scores));
}

Result<std::unique_ptr<SubwordModel>> read_word_piece(const Fields& fields,
                                                      TokenizerSource&& source) {
  WordPieceOptions options;
  NIBBLE_TRY(options.prefix, affix(fields, "continuing_subword_prefix", "##"));
  NIBBLE_TRY(options.longest_word, fields.integer("max_input_chars_per_word", 100));
  NIBBLE_TRY(options.unk, unknown_token(fields, *source.vocabulary));
  options.n_model = source.n_model;
  if (options.unk == kNoToken) return corrupt("model WordPiece: 'unk_token' is missing");
  return std::make_unique<WordPiece>(source.vocabulary, std::move(options));
}
}  // namespace

Result<std::unique_ptr<SubwordModel>> read_model(const Json& json, bool maps_bytes,
                                                 TokenizerSource&& source) {
  NIBBLE_TRY(const Fields fields, Fields::of(json, "model"));
  NIBBLE_TRY(std::string type, fields.string("type", ""));
  if (type.empty())
    type = source.scores.empty() ? "BPE" : "Unigram";  // files from before the member was
  if (type == "BPE") return read_bpe(fields, maps_bytes, std::move(source));
  if (maps_bytes) return unsupported("model {} behind a byte-level pre-tokenizer", type);
  if (type == "Unigram") return read_unigram(fields, std::move(source));
  if (type == "WordPiece") return read_word_piece(fields, std::move(source));
  return unsupported("model '{}' is not built in", type);
}

}  // namespace nibble::text
