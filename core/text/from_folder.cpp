// A tokenizer from a model's folder: tokenizer.json, where there is none tokenizer.model or GPT-2's
// vocab.json and merges.txt, with what tokenizer_config.json, generation_config.json and
// config.json say of beginning and end.
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/mapped_file.h"
#include "core/text/end_tokens.h"
#include "core/text/fields.h"
#include "core/text/folder_source.h"
#include "core/text/gpt2_files.h"
#include "core/text/json_stream.h"
#include "core/text/merge_rules.h"
#include "core/text/pipeline.h"
#include "core/text/pipeline_json.h"
#include "core/text/tokenizer_model.h"
#include "formats/folder_files.h"
#include "formats/path_message.h"

namespace nibble {
using namespace text;
namespace {
namespace fs = std::filesystem;

// A JSON file that may be missing: an empty object then.
Result<Json> optional_json(const fs::path& folder, std::string_view name) {
  return has_file(folder, name) ? read_json_in_folder(folder, name) : Json::object();
}

// tokenizer.json into a TokenizerSource.
class JsonTokenizer {
 public:
  // n_readable: as read_tokenizer_json has it.
  Result<TokenizerSource> read(std::string_view document, size_t n_readable) {
    n_bytes_ = document.size();
    const auto pipeline = [this](Json json) { return take_pipeline(std::move(json)); };
    const auto token = [this](std::string_view text, uint64_t id, double score) {
      return take_token(text, id, score);
    };
    const auto ends = [this] { return make_vocabulary(); };
    const auto merge = [this](std::string_view left, std::string_view right) {
      return rules_->add(left, right);
    };
    const auto merges_end = [this]() -> Result<void> {
      NIBBLE_TRY(source_.merges, rules_->take());
      return {};
    };
    NIBBLE_CHECK(
        read_tokenizer_json(document, n_readable, {pipeline, token, ends, merge, merges_end}));
    return std::move(source_);
  }

 private:
  struct Span {
    size_t at = 0, n = 0;
  };

  Result<void> take_pipeline(Json json) {
    source_.pipeline = std::move(json);
    NIBBLE_TRY(source_.added, read_added_tokens(source_.pipeline));
    arena_->reserve(n_bytes_ / 4);
    return {};
  }

  // An id stands for at least one byte of the file, so that holes cannot ask for more than the file
  // has.
  Result<void> place(std::string_view text, uint64_t id) {
    if (id >= n_bytes_ || id >= kMaxVocabulary)
      return corrupt("token '{}': id {} is out of range", text, id);
    if (id >= spans_.size()) spans_.resize(id + 1);
    spans_[id] = {arena_->size(), text.size()};
    *arena_ += text;
    return {};
  }

  Result<void> take_token(std::string_view text, uint64_t id, double score) {
    NIBBLE_CHECK(place(text, id));
    source_.n_model = static_cast<int>(spans_.size());
    if (const Json* type = model_member("type"); type && *type == "Unigram")
      source_.scores.push_back(score);
    return {};
  }

  const Json* model_member(std::string_view key) const {
    const auto model = source_.pipeline.find("model");
    const auto found = model->find(key);
    return found == model->end() ? nullptr : &*found;
  }

  std::string_view text(size_t id) const {
    return std::string_view(*arena_).substr(spans_[id].at, spans_[id].n);
  }

  std::vector<std::string_view> texts() const {
    std::vector<std::string_view> out(spans_.size());
    for (size_t id = 0; id < spans_.size(); ++id) out[id] = text(id);
    return out;
  }

  // The model's tokens are there: the added ones join them, unless the model has the text already.
  // One whose id stands for another text gets a new id, as the `tokenizers` package has it.
  Result<void> place_added() {
    size_t n_bytes = arena_->size();
    for (const AddedToken& token : source_.added) n_bytes += token.content.size();
    arena_->reserve(n_bytes);
    std::optional<Vocabulary> known;
    for (AddedToken& token : source_.added) {
      const auto id = static_cast<size_t>(token.id);
      const bool taken = id < spans_.size() && spans_[id].n > 0;
      if (taken && text(id) == token.content) continue;
      if (taken && !known) {
        NIBBLE_TRY(known, Vocabulary::make(texts()));
      }
      if (taken && known->find(token.content) != kNoToken) continue;
      if (taken) token.id = static_cast<TokenId>(spans_.size());
      NIBBLE_CHECK(place(token.content, static_cast<uint64_t>(token.id)));
    }
    return {};
  }

  Result<void> make_vocabulary() {
    NIBBLE_CHECK(place_added());
    NIBBLE_TRY(auto vocabulary, Vocabulary::make(texts(), arena_));
    spans_ = {};
    source_.vocabulary = std::make_shared<const Vocabulary>(std::move(vocabulary));
    for (AddedToken& token : source_.added)  // a text that stands twice is its first id
      if (const TokenId id = source_.vocabulary->find(token.content); id != kNoToken) token.id = id;
    std::string prefix;
    if (const Json* json = model_member("continuing_subword_prefix"); json && json->is_string())
      prefix = json->get<std::string>();
    rules_.emplace(*source_.vocabulary, source_.n_model, prefix);
    rules_->reserve(static_cast<size_t>(source_.n_model));
    return {};
  }

  TokenizerSource source_;
  std::shared_ptr<std::string> arena_ = std::make_shared<std::string>();
  std::vector<Span> spans_;
  std::optional<MergeRules> rules_;
  uint64_t n_bytes_ = 0;
};

// What the files beside the tokenizer say of its special tokens.
class FolderSettings {
 public:
  static Result<FolderSettings> read(const fs::path& folder) {
    FolderSettings out;
    NIBBLE_TRY(out.tokenizer_, optional_json(folder, "tokenizer_config.json"));
    NIBBLE_TRY(out.generation_, optional_json(folder, "generation_config.json"));
    NIBBLE_TRY(out.model_, optional_json(folder, "config.json"));
    return out;
  }

  void apply(TokenizerSource& source) const {
    const Vocabulary& vocabulary = *source.vocabulary;
    if (!source.bos) source.bos = declared("bos_token", "bos_token_id", vocabulary);
    if (!source.eos) source.eos = declared("eos_token", "eos_token_id", vocabulary);
    source.unk = declared("unk_token", "unk_token_id", vocabulary);
    source.pad = declared("pad_token", "pad_token_id", vocabulary);
    add_ids(generation_, "eos_token_id", vocabulary, source.ends);
    add_ids(model_, "eos_token_id", vocabulary, source.ends);
    add_ids(text_config(), "eos_token_id", vocabulary, source.ends);
    apply_added_affixes(source);
  }

 private:
  const Json& text_config() const {
    static const Json kNone = Json::object();
    const auto found = model_.find("text_config");
    return found != model_.end() && found->is_object() ? *found : kNone;
  }

  // tokenizer_config.json names a text (a string, or an added token's object); the others an id.
  std::optional<TokenId> declared(std::string_view text_key, std::string_view id_key,
                                  const Vocabulary& vocabulary) const {
    auto named = tokenizer_.find(text_key);
    if (named != tokenizer_.end() && named->is_object()) {
      const auto content = named->find("content");
      if (content != named->end() && content->is_string())
        if (const TokenId id = vocabulary.find(content->get<std::string>()); id != kNoToken)
          return id;
    } else if (named != tokenizer_.end() && named->is_string()) {
      if (const TokenId id = vocabulary.find(named->get<std::string>()); id != kNoToken) return id;
    }
    std::vector<TokenId> ids;
    for (const Json* json : {&generation_, &model_, &text_config()})
      add_ids(*json, id_key, vocabulary, ids);
    return ids.empty() ? std::nullopt : std::optional(ids.front());
  }

  // A number, or a list of them; ids outside of the vocabulary are left out.
  static void add_ids(const Json& json, std::string_view key, const Vocabulary& vocabulary,
                      std::vector<TokenId>& out) {
    const auto found = json.find(key);
    if (found == json.end()) return;
    const auto add = [&](const Json& id) {
      if (!id.is_number_integer()) return;
      const auto value = id.get<int64_t>();
      if (value >= 0 && value < vocabulary.size()) out.push_back(static_cast<TokenId>(value));
    };
    if (found->is_array()) {
      for (const Json& id : *found) add(id);
    } else {
      add(*found);
    }
  }

  // transformers' Llama and Gemma classes put BOS and EOS where add_bos_token and add_eos_token
  // say, whatever tokenizer.json does.
  void apply_added_affixes(TokenizerSource& source) const {
    const auto name = tokenizer_.find("tokenizer_class");
    const auto bos = tokenizer_.find("add_bos_token"), eos = tokenizer_.find("add_eos_token");
    if (name == tokenizer_.end() || !name->is_string() || bos == tokenizer_.end() ||
        !bos->is_boolean())
      return;
    std::string kind = name->get<std::string>();
    if (kind.ends_with("Fast")) kind.resize(kind.size() - 4);
    if (kind != "LlamaTokenizer" && kind != "GemmaTokenizer" && kind != "CodeLlamaTokenizer")
      return;
    const bool adds_eos = eos != tokenizer_.end() && eos->is_boolean() && eos->get<bool>();
    source.pipeline["post_processor"] = affixes_json(bos->get<bool>() ? source.bos : std::nullopt,
                                                     adds_eos ? source.eos : std::nullopt);
  }

  Json tokenizer_, generation_, model_;
};

void add_ends_by_text(TokenizerSource& source) {
  std::vector<bool> special(static_cast<size_t>(source.vocabulary->size())), added = special;
  for (const AddedToken& token : source.added) {
    if (!source.vocabulary->has(token.id)) continue;
    added[static_cast<size_t>(token.id)] = true;
    special[static_cast<size_t>(token.id)] = token.special;
  }
  const auto by_text = end_tokens_by_text(
      *source.vocabulary, [&](TokenId id) { return bool(special[static_cast<size_t>(id)]); },
      [&](TokenId id) { return bool(added[static_cast<size_t>(id)]); });
  source.ends.insert(source.ends.end(), by_text.begin(), by_text.end());
}

// Behind its end, a map's last page is zero.
size_t readable_bytes(const MappedFile& file) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (file.bytes().size() + page - 1) / page * page;
}

Result<TokenizerSource> read_source(const fs::path& folder, fs::path& used) {
  used = folder / "tokenizer.json";
  if (has_file(folder, "tokenizer.json")) {
    NIBBLE_TRY(const MappedFile file, open_in_folder(folder, "tokenizer.json"));
    return with_path(used, JsonTokenizer().read(file.text(), readable_bytes(file)));
  }
  used = folder / "tokenizer.model";
  if (has_file(folder, "tokenizer.model")) {
    NIBBLE_TRY(const MappedFile file, open_in_folder(folder, "tokenizer.model"));
    return with_path(used, read_tokenizer_model(file.text()));
  }
  used = folder / "vocab.json";
  if (has_file(folder, "vocab.json") && has_file(folder, "merges.txt")) {
    NIBBLE_TRY(const std::string text, tokenizer_json_of_gpt2(folder));
    return with_path(used, JsonTokenizer().read(text, text.size()));
  }
  used.clear();
  return fail(ErrorKind::kNotFound,
              "{}: none of tokenizer.json, tokenizer.model and vocab.json with merges.txt is there",
              folder.string());
}
}  // namespace

Result<TokenizerSource> text::read_folder_source(const fs::path& folder, fs::path& used) {
  NIBBLE_TRY(TokenizerSource source, read_source(folder, used));
  NIBBLE_TRY(const FolderSettings settings, FolderSettings::read(folder));
  settings.apply(source);
  add_ends_by_text(source);
  return source;
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_folder(const fs::path& folder) {
  fs::path used;
  NIBBLE_TRY(TokenizerSource source, read_folder_source(folder, used));
  return with_path(used, make_tokenizer(std::move(source)));
}

}  // namespace nibble
