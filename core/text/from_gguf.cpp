// A tokenizer from the tokenizer.ggml.* keys of a GGUF file: the vocabulary as it stands there, the
// pipeline from nibble.tokenizer.pipeline or from what the model kind and llama.cpp's name for the
// pre-tokenizer mean.
#include <algorithm>
#include <cmath>

#include "core/base/json.h"
#include "core/text/end_tokens.h"
#include "core/text/gguf_tokenizer.h"
#include "core/text/llama_cpp_names.h"
#include "core/text/merge_list.h"
#include "core/text/merge_rules.h"
#include "core/text/pipeline.h"
#include "core/text/pipeline_json.h"
#include "core/text/to_gguf.h"
#include "core/text/token_type.h"

namespace nibble {
using namespace text;
namespace {
constexpr std::string_view kPrefix = "tokenizer.ggml.";

std::string key_of(std::string_view name) { return fmt::format("{}{}", kPrefix, name); }

class GgufTokenizer {
 public:
  explicit GgufTokenizer(const Metadata& metadata) : metadata_(metadata) {}

  Result<TokenizerSource> read() {
    NIBBLE_TRY(kind_, metadata_.need_string(key_of("model")));
    NIBBLE_CHECK(read_vocabulary());
    NIBBLE_CHECK(read_pipeline());
    NIBBLE_CHECK(read_model());
    NIBBLE_CHECK(read_special_tokens());
    return std::move(source_);
  }

 private:
  TokenType type_of(TokenId id) const {
    return types_.empty() ? kNormal : static_cast<TokenType>(types_[static_cast<size_t>(id)]);
  }

  Result<void> read_vocabulary() {
    NIBBLE_TRY(const auto* texts, metadata_.get_strings(key_of("tokens")));
    if (!texts || texts->empty()) return corrupt("key '{}' is missing or empty", key_of("tokens"));
    NIBBLE_TRY(auto vocabulary, Vocabulary::make(*texts));
    source_.vocabulary = std::make_shared<const Vocabulary>(std::move(vocabulary));
    NIBBLE_TRY(auto types, metadata_.get_ints(key_of("token_type")));
    if (types) types_ = std::move(*types);
    if (!types_.empty() && types_.size() < texts->size())
      return corrupt("key '{}': {} entries, the vocabulary has {}", key_of("token_type"),
                     types_.size(), texts->size());
    for (TokenId id = 0; id < source_.vocabulary->size(); ++id)
      if (type_of(id) == kNormal || type_of(id) == kByte) source_.n_model = id + 1;
    return {};
  }

  Result<void> read_pipeline() {
    NIBBLE_TRY(const auto own, metadata_.get_string(kPipelineKey));
    if (own) {
      auto json = parse_json(*own);
      if (!json) return corrupt("key 'nibble.tokenizer.pipeline': {}", json.error().message);
      source_.pipeline = std::move(*json);
      own_pipeline_ = true;
      if (!source_.pipeline.is_object())
        return corrupt("key 'nibble.tokenizer.pipeline': expected an object");
      NIBBLE_TRY(source_.added, read_added_tokens(source_.pipeline));
      NIBBLE_TRY(const auto n_model, metadata_.get_u64(kModelSizeKey));
      if (n_model)
        source_.n_model =
            static_cast<int>(std::min(*n_model, static_cast<uint64_t>(source_.vocabulary->size())));
      return add_missing_special();
    }
    NIBBLE_CHECK(add_missing_special());
    if (kind_ == "llama") return sentencepiece_pipeline();
    if (kind_ == "gpt2" || kind_ == "gemma4" || kind_ == "whitespace") return bpe_pipeline();
    if (kind_ == "t5") return unigram_pipeline();
    return unsupported("key '{}': tokenizers of kind '{}' are not built in", key_of("model"),
                       kind_);
  }

  Result<void> sentencepiece_pipeline() {
    NIBBLE_TRY(const auto prefix, metadata_.get_bool(key_of("add_space_prefix")));
    NIBBLE_TRY(const auto unk, special_id("unknown_token_id", 0));
    source_.pipeline = sentencepiece_bpe_json(prefix.value_or(true), text_of(unk));
    return add_affixes(true, 1, 2);
  }

  Result<void> unigram_pipeline() {
    if (metadata_.find(key_of("precompiled_charsmap")))
      return unsupported("key '{}': character maps are not built in",
                         key_of("precompiled_charsmap"));
    NIBBLE_TRY(const auto prefix, metadata_.get_bool(key_of("add_space_prefix")));
    NIBBLE_TRY(const auto squeeze, metadata_.get_bool(key_of("remove_extra_whitespaces")));
    NIBBLE_TRY(const auto unk, special_id("unknown_token_id", 2));
    source_.pipeline = unigram_json(prefix.value_or(true), squeeze.value_or(false), unk);
    NIBBLE_CHECK(add_affixes(false, std::nullopt, 1));
    return {};
  }

  Result<void> bpe_pipeline() {
    NIBBLE_TRY(const auto pre, metadata_.get_string(key_of("pre")));
    const std::string_view name = kind_ == "gpt2" ? pre.value_or("default") : kind_;
    NIBBLE_TRY(const NamedPipeline named, named_pipeline(name));
    NIBBLE_TRY(const auto unk, special_id("unknown_token_id", std::nullopt));
    source_.pipeline = {{"normalizer", named.normalizer}, {"pre_tokenizer", named.pre_tokenizer}};
    Json& model = source_.pipeline["model"];
    model = {{"type", "BPE"}, {"ignore_merges", named.ignore_merges}};
    if (named.maps_bytes) {
      source_.pipeline["decoder"] = {{"type", "ByteLevel"}};
    } else {
      source_.pipeline["decoder"] = sentencepiece_bpe_json(false, "")["decoder"];
      model["byte_fallback"] = true;
      if (unk) model["unk_token"] = text_of(unk);
    }
    return add_affixes(named.add_bos, std::nullopt, std::nullopt);
  }

  Result<void> read_model() {
    auto read = metadata_.get_floats(key_of("scores"));
    if (!read) return std::unexpected(read.error());
    std::optional<std::vector<double>>& scores = *read;
    const auto n = static_cast<size_t>(source_.vocabulary->size());
    if (scores && scores->size() < n)
      return corrupt("key '{}': {} entries, the vocabulary has {}", key_of("scores"),
                     scores->size(), n);
    if (scores)
      for (const double score : *scores)
        if (!std::isfinite(score))
          return corrupt("key '{}': a score is no number", key_of("scores"));
    NIBBLE_TRY(const auto* merges, metadata_.get_strings(key_of("merges")));
    const Json& model = source_.pipeline["model"];
    const bool unigram = model.is_object() && model.value("type", Json()) == "Unigram";
    if (unigram) {
      if (!scores) return corrupt("key '{}' is missing", key_of("scores"));
      source_.scores = std::move(*scores);
    } else if (merges && (own_pipeline_ || kind_ != "llama")) {
      return read_merges(*merges);
    } else if (scores) {
      ranks_by_score(*scores);
    } else if (!merges && kind_ == "gpt2") {
      ranks_by_id();
    } else {
      return corrupt("neither '{}' nor '{}' is there", key_of("merges"), key_of("scores"));
    }
    return {};
  }

  Result<void> read_merges(const std::vector<std::string_view>& merges) {
    MergeRules rules(*source_.vocabulary, source_.n_model, "");
    rules.reserve(merges.size());
    for (const std::string_view merge : merges) NIBBLE_CHECK(rules.add(merge, {}));
    NIBBLE_TRY(source_.merges, rules.take());
    return {};
  }

  // The higher the score the lower the rank.
  void ranks_by_score(const std::vector<double>& scores) {
    source_.ranks.assign(static_cast<size_t>(source_.vocabulary->size()), kNoRank);
    for (TokenId id = 0; id < source_.vocabulary->size(); ++id) {
      const auto score = static_cast<float>(scores[static_cast<size_t>(id)]);
      if (is_mergeable(type_of(id))) source_.ranks[static_cast<size_t>(id)] = rank_of_score(score);
    }
  }

  // tiktoken's way, for files without merges: ids are ranks.
  void ranks_by_id() {
    source_.ranks.assign(static_cast<size_t>(source_.vocabulary->size()), kNoRank);
    for (TokenId id = 0; id < source_.n_model; ++id)
      if (is_mergeable(type_of(id)))
        source_.ranks[static_cast<size_t>(id)] = static_cast<uint32_t>(id);
  }

  std::string text_of(std::optional<TokenId> id) const {
    return id ? std::string(source_.vocabulary->text(*id)) : "";
  }

  // A token named by a key; the default where it is absent and there. An id outside of the
  // vocabulary is none.
  Result<std::optional<TokenId>> special_id(std::string_view name,
                                            std::optional<TokenId> otherwise) {
    NIBBLE_TRY(const auto value, metadata_.get_u64(key_of(name)));
    const auto n = static_cast<uint64_t>(source_.vocabulary->size());
    if (value) return *value < n ? std::optional(static_cast<TokenId>(*value)) : std::nullopt;
    return otherwise && static_cast<uint64_t>(*otherwise) < n ? otherwise : std::nullopt;
  }

  Result<void> add_affixes(bool adds_bos, std::optional<TokenId> bos, std::optional<TokenId> eos) {
    NIBBLE_TRY(const auto bos_wanted, metadata_.get_bool(key_of("add_bos_token")));
    NIBBLE_TRY(const auto eos_wanted, metadata_.get_bool(key_of("add_eos_token")));
    NIBBLE_TRY(source_.bos, special_id("bos_token_id", bos));
    NIBBLE_TRY(source_.eos, special_id("eos_token_id", eos));
    const auto before = bos_wanted.value_or(adds_bos) ? source_.bos : std::nullopt;
    const auto after = eos_wanted.value_or(kind_ == "t5") ? source_.eos : std::nullopt;
    source_.pipeline["post_processor"] = affixes_json(before, after);
    return {};
  }

  // Control, unknown and user-defined tokens that the pipeline does not list are added tokens too.
  // Phi-3's take the white space behind them along, which GGUF has no key for.
  Result<void> add_missing_special() {
    NIBBLE_TRY(const auto architecture, metadata_.get_string("general.architecture"));
    const bool strips = !own_pipeline_ && architecture.value_or("") == "phi3" && kind_ == "llama";
    std::vector<bool> listed(static_cast<size_t>(source_.vocabulary->size()));
    for (const AddedToken& token : source_.added)
      if (source_.vocabulary->has(token.id)) listed[static_cast<size_t>(token.id)] = true;
    for (TokenId id = 0; id < source_.vocabulary->size(); ++id) {
      const TokenType type = type_of(id);
      if (!is_added(type) || listed[static_cast<size_t>(id)]) continue;
      AddedToken token{std::string(source_.vocabulary->text(id)), id, type != kUserDefined};
      token.rstrip =
          strips && type != kUnknown && token.content != "<s>" && token.content != "<|endoftext|>";
      source_.added.push_back(std::move(token));
    }
    return {};
  }

  Result<void> read_special_tokens() {
    if (own_pipeline_) {
      NIBBLE_TRY(source_.bos, special_id("bos_token_id", std::nullopt));
      NIBBLE_TRY(source_.eos, special_id("eos_token_id", std::nullopt));
    }
    for (const std::string_view name : {"eot_token_id", "eom_token_id", "fim_pad_token_id",
                                        "fim_rep_token_id", "fim_sep_token_id"}) {
      NIBBLE_TRY(const auto id, special_id(name, std::nullopt));
      if (id) source_.ends.push_back(*id);
    }
    NIBBLE_TRY(const auto declared, metadata_.get_ints(kEndTokensKey));
    for (const int64_t id : declared.value_or(std::vector<int64_t>()))
      if (id >= 0 && id < source_.vocabulary->size())
        source_.ends.push_back(static_cast<TokenId>(id));
    const auto special = [this](TokenId id) { return type_of(id) == kControl; };
    const auto added = [this](TokenId id) {
      return type_of(id) == kControl || type_of(id) == kUserDefined;
    };
    const auto by_text = end_tokens_by_text(*source_.vocabulary, special, added);
    source_.ends.insert(source_.ends.end(), by_text.begin(), by_text.end());
    return {};
  }

  const Metadata& metadata_;
  std::string_view kind_;
  std::vector<int64_t> types_;
  TokenizerSource source_;
  bool own_pipeline_ = false;
};
}  // namespace

Result<TokenizerSource> text::read_gguf_tokenizer(const Metadata& metadata) {
  return GgufTokenizer(metadata).read();
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_gguf(const Metadata& metadata) {
  NIBBLE_TRY(TokenizerSource source, read_gguf_tokenizer(metadata));
  return make_tokenizer(std::move(source));
}

}  // namespace nibble
