// SentencePiece's ModelProto. Fields that are used, by number:
//   1 pieces:      1 text, 2 score (float), 3 type
//   2 trainer:     3 model_type, 24 treat_whitespace_as_suffix, 35 byte_fallback
//   3 normalizer:  2 precompiled_charsmap, 3 add_dummy_prefix, 4 remove_extra_whitespaces,
//                  5 escape_whitespaces
// Source: sentencepiece's sentencepiece_model.proto; Protocol Buffers' wire format.
#include <bit>
#include <cmath>

#include "core/text/merge_list.h"
#include "core/text/pipeline_json.h"
#include "core/text/token_type.h"
#include "core/text/tokenizer_model.h"

namespace nibble::text {
namespace {
enum ModelType { kUnigram = 1, kBpe = 2 };

// One field of a message: a number, or the bytes of a string or of a message inside.
struct Field {
  uint32_t number = 0;
  uint64_t value = 0;
  std::string_view bytes;
};

class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes), n_(bytes.size()) {}
  bool done() const { return rest_.empty(); }

  Result<Field> next() {
    NIBBLE_TRY(const uint64_t tag, varint());
    Field field{static_cast<uint32_t>(tag >> 3), 0, {}};
    switch (tag & 7) {
      case 0: {
        NIBBLE_TRY(field.value, varint());
        return field;
      }
      case 1:
        return fixed(field, 8);
      case 2: {
        NIBBLE_TRY(const uint64_t length, varint());
        if (length > rest_.size()) return cut();
        field.bytes = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return field;
      }
      case 5:
        return fixed(field, 4);
      default:
        return corrupt("SentencePiece model, byte {}: wire type {}", offset(), tag & 7);
    }
  }

 private:
  size_t offset() const { return n_ - rest_.size(); }
  std::unexpected<Error> cut() const {
    return corrupt("SentencePiece model, byte {}: a field goes beyond the end", offset());
  }
  Result<uint64_t> varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    return cut();
  }
  Result<Field> fixed(Field field, size_t n) {
    if (rest_.size() < n) return cut();
    for (size_t i = n; i-- > 0;)
      field.value = field.value << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(n);
    return field;
  }
  std::string_view rest_;
  size_t n_;
};

struct SentencePieceModel {
  std::vector<std::string_view> texts;
  std::vector<float> scores;
  std::vector<int> types;
  uint64_t model_type = kUnigram;
  bool byte_fallback = false, suffix = false;
  bool has_charsmap = false, prefix = true, squeeze = true, escape = true;
};

Result<void> read_piece(std::string_view bytes, SentencePieceModel& model) {
  std::string_view text;
  float score = 0;
  int type = kNormal;
  for (Message message(bytes); !message.done();) {
    NIBBLE_TRY(const Field field, message.next());
    if (field.number == 1) text = field.bytes;
    if (field.number == 2) score = std::bit_cast<float>(static_cast<uint32_t>(field.value));
    if (field.number == 3) type = static_cast<int>(field.value);
  }
  if (!std::isfinite(score)) return corrupt("piece {}: its score is no number", model.texts.size());
  model.texts.push_back(text);
  model.scores.push_back(score);
  model.types.push_back(type);
  return {};
}

Result<void> read_trainer(std::string_view bytes, SentencePieceModel& model) {
  for (Message message(bytes); !message.done();) {
    NIBBLE_TRY(const Field field, message.next());
    if (field.number == 3) model.model_type = field.value;
    if (field.number == 24) model.suffix = field.value != 0;
    if (field.number == 35) model.byte_fallback = field.value != 0;
  }
  return {};
}

Result<void> read_normalizer_spec(std::string_view bytes, SentencePieceModel& model) {
  for (Message message(bytes); !message.done();) {
    NIBBLE_TRY(const Field field, message.next());
    if (field.number == 2) model.has_charsmap = !field.bytes.empty();
    if (field.number == 3) model.prefix = field.value != 0;
    if (field.number == 4) model.squeeze = field.value != 0;
    if (field.number == 5) model.escape = field.value != 0;
  }
  return {};
}

Result<SentencePieceModel> read_model(std::string_view bytes) {
  SentencePieceModel model;
  for (Message message(bytes); !message.done();) {
    NIBBLE_TRY(const Field field, message.next());
    if (field.number == 1) NIBBLE_CHECK(read_piece(field.bytes, model));
    if (field.number == 2) NIBBLE_CHECK(read_trainer(field.bytes, model));
    if (field.number == 3) NIBBLE_CHECK(read_normalizer_spec(field.bytes, model));
  }
  if (model.texts.empty()) return corrupt("SentencePiece model without pieces");
  if (model.model_type != kBpe && model.model_type != kUnigram)
    return unsupported("SentencePiece model type {} is not built in", model.model_type);
  if (model.has_charsmap) return unsupported("SentencePiece model with a character map");
  if (model.suffix) return unsupported("SentencePiece model with white space as suffix");
  if (!model.escape) return unsupported("SentencePiece model without escaped white space");
  return model;
}

Result<std::shared_ptr<const Vocabulary>> own_vocabulary(const SentencePieceModel& model) {
  auto arena = std::make_shared<std::string>();
  for (const std::string_view text : model.texts) *arena += text;
  std::vector<std::string_view> texts;
  size_t at = 0;
  for (const std::string_view text : model.texts) {
    texts.push_back(std::string_view(*arena).substr(at, text.size()));
    at += text.size();
  }
  NIBBLE_TRY(auto vocabulary, Vocabulary::make(std::move(texts), std::move(arena)));
  return std::make_shared<const Vocabulary>(std::move(vocabulary));
}

void take_pieces(const SentencePieceModel& model, TokenizerSource& source) {
  const bool bpe = model.model_type == kBpe;
  for (size_t id = 0; id < model.texts.size(); ++id) {
    const auto type = static_cast<TokenType>(model.types[id]);
    if (bpe)
      source.ranks.push_back(is_mergeable(type) ? rank_of_score(model.scores[id]) : kNoRank);
    else
      source.scores.push_back(double{model.scores[id]});
    if (is_added(type))
      source.added.push_back(
          {std::string(model.texts[id]), static_cast<TokenId>(id), type != kUserDefined});
  }
}
}  // namespace

Result<TokenizerSource> read_sentencepiece(std::string_view bytes) {
  NIBBLE_TRY(const SentencePieceModel model, read_model(bytes));
  TokenizerSource source;
  NIBBLE_TRY(source.vocabulary, own_vocabulary(model));
  source.n_model = source.vocabulary->size();
  std::optional<TokenId> unk;
  for (size_t id = 0; id < model.types.size() && !unk; ++id)
    if (model.types[id] == kUnknown) unk = static_cast<TokenId>(id);
  take_pieces(model, source);
  if (model.model_type == kBpe) {
    if (model.squeeze) return unsupported("SentencePiece BPE that joins runs of white space");
    source.pipeline = sentencepiece_bpe_json(model.prefix, unk ? model.texts[*unk] : "");
    source.pipeline["model"]["byte_fallback"] = model.byte_fallback;
  } else {
    source.pipeline = unigram_json(model.prefix, model.squeeze, unk);
    source.pipeline["model"]["byte_fallback"] = model.byte_fallback;
  }
  // LLaMA's way: BOS is put before a text. The file itself does not say.
  if (const TokenId id = source.vocabulary->find("<s>"); id != kNoToken) source.bos = id;
  if (const TokenId id = source.vocabulary->find("</s>"); id != kNoToken) source.eos = id;
  source.pipeline["post_processor"] = affixes_json(source.bos, std::nullopt);
  return source;
}

}  // namespace nibble::text
