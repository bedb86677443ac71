#include "core/text/json_stream.h"

#include <simdjson.h>

#include "core/base/json.h"

namespace nibble::text {
namespace {
namespace sj = simdjson::ondemand;

std::unexpected<Error> broken(simdjson::error_code error, std::string_view where) {
  return corrupt("{}: {}", where, simdjson::error_message(error));
}

// The value of a simdjson result, or a kCorrupt error that says where.
#define NIBBLE_SJ(target, where, ...)                                     \
  do {                                                                    \
    auto sj_result = (__VA_ARGS__);                                       \
    if (const auto sj_error = std::move(sj_result).get(target); sj_error) \
      return broken(sj_error, where);                                     \
  } while (false)

class Document {
 public:
  explicit Document(const TokenizerJsonReader& reader) : reader_(reader) {}

  Result<void> read(simdjson::padded_string_view text) {
    if (const auto error = parser_.iterate(text).get(document_)) return broken(error, "JSON");
    NIBBLE_CHECK(read_pipeline());
    NIBBLE_CHECK(read_vocabulary());
    NIBBLE_CHECK(reader_.vocabulary_ends());
    NIBBLE_CHECK(read_merges());
    return reader_.merges_end();
  }

 private:
  // A value that is small enough for a Json.
  static Result<Json> small(sj::value value, std::string_view where) {
    std::string_view raw;
    NIBBLE_SJ(raw, where, simdjson::to_json_string(value));
    return parse_json(raw);
  }

  Result<Json> read_model(sj::value value) {
    Json out = Json::object();
    sj::object model;
    NIBBLE_SJ(model, "model", value.get_object());
    for (auto member : model) {
      sj::field field;
      NIBBLE_SJ(field, "model", member);
      std::string_view key;
      NIBBLE_SJ(key, "model", field.unescaped_key());
      if (key == "vocab") {
        has_vocab_ = true;
      } else if (key == "merges") {
        has_merges_ = true;
      } else {
        std::string name(key);
        NIBBLE_TRY(out[name], small(field.value(), name));
      }
    }
    return out;
  }

  Result<void> read_pipeline() {
    Json pipeline = Json::object();
    sj::object root;
    NIBBLE_SJ(root, "JSON", document_.get_object());
    for (auto member : root) {
      sj::field field;
      NIBBLE_SJ(field, "JSON", member);
      std::string_view key;
      NIBBLE_SJ(key, "JSON", field.unescaped_key());
      std::string name(key);
      if (name == "model") {
        NIBBLE_TRY(pipeline[name], read_model(field.value()));
      } else {
        NIBBLE_TRY(pipeline[name], small(field.value(), name));
      }
    }
    if (!has_vocab_) return corrupt("model: 'vocab' is missing");
    return reader_.pipeline(std::move(pipeline));
  }

  Result<void> read_vocabulary() {
    sj::value vocab;
    document_.rewind();
    NIBBLE_SJ(vocab, "model.vocab", document_["model"]["vocab"]);
    sj::json_type type;
    NIBBLE_SJ(type, "model.vocab", vocab.type());
    return type == sj::json_type::array ? read_list(vocab) : read_map(vocab);
  }

  Result<void> read_map(sj::value vocab) {
    sj::object map;
    NIBBLE_SJ(map, "model.vocab", vocab.get_object());
    for (auto member : map) {
      sj::field field;
      NIBBLE_SJ(field, "model.vocab", member);
      std::string_view text;
      uint64_t id;
      NIBBLE_SJ(text, "model.vocab", field.unescaped_key());
      NIBBLE_SJ(id, "model.vocab", field.value().get_uint64());
      NIBBLE_CHECK(reader_.token(text, id, 0));
    }
    return {};
  }

  // [[text, score], ..]
  Result<void> read_list(sj::value vocab) {
    sj::array list;
    NIBBLE_SJ(list, "model.vocab", vocab.get_array());
    uint64_t id = 0;
    for (auto item : list) {
      sj::array pair;
      NIBBLE_SJ(pair, "model.vocab", item.get_array());
      std::string_view text;
      double score = 0;
      int n = 0;
      for (auto part : pair) {
        if (n == 0) NIBBLE_SJ(text, "model.vocab", part.get_string());
        if (n == 1) NIBBLE_SJ(score, "model.vocab", part.get_double());
        ++n;
      }
      if (n != 2) return corrupt("model.vocab: entry {} is no pair", id);
      NIBBLE_CHECK(reader_.token(text, id++, score));
    }
    return {};
  }

  Result<void> read_merges() {
    if (!has_merges_) return {};
    sj::array list;
    document_.rewind();
    NIBBLE_SJ(list, "model.merges", document_["model"]["merges"].get_array());
    for (auto item : list) {
      sj::value merge;
      NIBBLE_SJ(merge, "model.merges", item);
      sj::json_type type;
      NIBBLE_SJ(type, "model.merges", merge.type());
      if (type == sj::json_type::array) {
        NIBBLE_CHECK(read_pair(merge));
        continue;
      }
      std::string_view text;
      NIBBLE_SJ(text, "model.merges", merge.get_string());
      NIBBLE_CHECK(reader_.merge(text, {}));
    }
    return {};
  }

  Result<void> read_pair(sj::value merge) {
    sj::array pair;
    NIBBLE_SJ(pair, "model.merges", merge.get_array());
    std::string_view texts[2];
    int n = 0;
    for (auto part : pair) {
      if (n == 2) return corrupt("model.merges: more than two parts");
      NIBBLE_SJ(texts[n], "model.merges", part.get_string());
      ++n;
    }
    if (n != 2 || texts[1].empty()) return corrupt("model.merges: not two parts");
    return reader_.merge(texts[0], texts[1]);
  }

  const TokenizerJsonReader& reader_;
  sj::parser parser_;
  sj::document document_;
  bool has_vocab_ = false, has_merges_ = false;
};
}  // namespace

Result<void> read_tokenizer_json(std::string_view text, size_t n_readable,
                                 const TokenizerJsonReader& reader) {
  if (n_readable < text.size() + simdjson::SIMDJSON_PADDING)
    return Document(reader).read(simdjson::padded_string(text));
  return Document(reader).read(simdjson::padded_string_view(text.data(), text.size(), n_readable));
}

}  // namespace nibble::text
