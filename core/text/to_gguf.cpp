#include "core/text/to_gguf.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/text/affixes.h"
#include "core/text/merge_list.h"
#include "core/text/token_type.h"

namespace nibble::text {
namespace {

constexpr float kAddedScore = -1000, kPaddingScore = -10000;  // as llama.cpp's converter has them

std::string key_of(std::string_view name) { return fmt::format("tokenizer.ggml.{}", name); }

bool is_byte_token(std::string_view text) {
  return text.size() == 6 && text.starts_with("<0x") && text.ends_with('>') &&
         std::isxdigit(static_cast<unsigned char>(text[3])) &&
         std::isxdigit(static_cast<unsigned char>(text[4]));
}

// Tokens that llama.cpp's converter takes for control tokens whatever the tokenizer says.
bool looks_special(std::string_view text) {
  return (text.starts_with("<|") && text.ends_with("|>")) ||
         (text.starts_with("<\uff5c") && text.ends_with("\uff5c>"));
}

class Writer {
 public:
  Writer(const TokenizerSource& source, int64_t n_rows, MetadataDraft& out)
      : s_(source), out_(out), n_own_(source.vocabulary->size()) {
    n_ = static_cast<size_t>(std::max<int64_t>(n_own_, std::min<int64_t>(n_rows, kMaxVocabulary)));
  }

  Result<LlamaCppTokenizer> write() {
    NIBBLE_TRY(const LlamaCppTokenizer kind, recognize(s_));
    out_.set_text(key_of("model"), std::string(kind.model));
    out_.set_text(key_of("pre"), std::string(kind.pre));
    add_tokens();
    if (kind.model != "gpt2") add_scores();
    add_merges();
    NIBBLE_CHECK(add_special_ids());
    if (kind.model == "llama" || kind.model == "t5")
      out_.set_bool(key_of("add_space_prefix"), kind.space_prefix);
    out_.set_text(kPipelineKey, dump_json(s_.pipeline));
    out_.set_u32(kModelSizeKey, static_cast<uint32_t>(s_.n_model));
    if (!s_.ends.empty()) out_.set_i32s(kEndTokensKey, s_.ends);
    return kind;
  }

 private:
  bool has_byte_fallback() const {
    const auto model = s_.pipeline.find("model");
    return model != s_.pipeline.end() && model->value("byte_fallback", Json()) == true;
  }
  TokenId unknown_of_model() const {
    const auto model = s_.pipeline.find("model");
    if (model == s_.pipeline.end()) return kNoToken;
    const Json text = model->value("unk_token", Json()), id = model->value("unk_id", Json());
    if (text.is_string()) return s_.vocabulary->find(text.get<std::string>());
    return id.is_number_unsigned() ? id.get<TokenId>() : kNoToken;
  }

  void add_tokens() {
    const bool has_bytes = has_byte_fallback();
    types_.assign(n_, kNormal);
    std::vector<std::string> texts(n_);
    for (size_t id = 0; id < n_; ++id) {
      if (id < static_cast<size_t>(n_own_))
        texts[id] = s_.vocabulary->text(static_cast<TokenId>(id));
      if (has_bytes && is_byte_token(texts[id])) types_[id] = kByte;
      if (!texts[id].empty()) continue;
      texts[id] = fmt::format("[PAD{}]", id);
      types_[id] = kUnused;
    }
    if (const TokenId id = unknown_of_model(); s_.vocabulary->has(id))
      types_[static_cast<size_t>(id)] = kUnknown;
    for (const AddedToken& token : s_.added)
      if (s_.vocabulary->has(token.id))
        types_[static_cast<size_t>(token.id)] =
            token.special || looks_special(token.content) ? kControl : kUserDefined;
    out_.set_texts(key_of("tokens"), texts);
    out_.set_i32s(key_of("token_type"), types_);
  }

  // Unigram's and SentencePiece's own; else the higher the sooner a token is merged.
  void add_scores() {
    std::vector<float> scores(n_);
    const std::vector<uint32_t> made = ranks_of(s_.merges, n_);
    for (size_t id = 0; id < n_; ++id) scores[id] = score_of(id, made);
    out_.set_f32s(key_of("scores"), scores);
  }
  float score_of(size_t id, std::span<const uint32_t> made) const {
    if (id < s_.scores.size()) return static_cast<float>(s_.scores[id]);
    if (id < s_.ranks.size() && s_.ranks[id] != kNoRank) return score_of_rank(s_.ranks[id]);
    if (types_[id] == kUnused) return kPaddingScore;
    if (types_[id] == kByte) return 0;
    if (types_[id] != kNormal) return kAddedScore;
    return made[id] == kNoRank ? 0 : -static_cast<float>(made[id]);
  }

  void add_merges() {
    const bool by_score = !s_.scores.empty() || (!s_.ranks.empty() && !byte_level());
    if (by_score) return;
    const auto merges = s_.ranks.empty() ? merges_of(s_.merges, *s_.vocabulary)
                                         : merges_of_ranks(s_.ranks, *s_.vocabulary);
    if (!merges.empty()) out_.set_texts(key_of("merges"), merges);
  }
  bool byte_level() const {  // ranks that count ids, as tiktoken's
    const auto decoder = s_.pipeline.find("decoder");
    return decoder != s_.pipeline.end() && decoder->is_object() &&
           decoder->value("type", Json()) == "ByteLevel";
  }

  void set_id(std::string_view name, std::optional<TokenId> id) {
    if (id && s_.vocabulary->has(*id)) out_.set_u32(key_of(name), static_cast<uint32_t>(*id));
  }

  Result<void> add_special_ids() {
    const auto post = s_.pipeline.find("post_processor");
    NIBBLE_TRY(const Affixes affixes,
               read_affixes(post == s_.pipeline.end() ? Json() : *post, *s_.vocabulary));
    set_id("bos_token_id", s_.bos);
    set_id("eos_token_id", s_.eos);
    const TokenId unk = unknown_of_model();
    set_id("unknown_token_id", s_.unk                    ? s_.unk
                               : s_.vocabulary->has(unk) ? std::optional(unk)
                                                         : std::nullopt);
    set_id("padding_token_id", s_.pad);
    set_id("eot_token_id", end_of_turn());
    const auto has = [](const std::vector<TokenId>& ids, std::optional<TokenId> id) {
      return id && std::ranges::find(ids, *id) != ids.end();
    };
    out_.set_bool(key_of("add_bos_token"), has(affixes.before, s_.bos));
    out_.set_bool(key_of("add_eos_token"), has(affixes.after, s_.eos));
    if (!affixes.before.empty() || !affixes.after.empty())
      out_.set_bool(key_of("add_sep_token"), false);  // none between two texts
    return {};
  }

  // The token that ends a turn where it is not EOS.
  std::optional<TokenId> end_of_turn() const {
    for (const std::string_view text :
         {"<|eot_id|>", "<|im_end|>", "<end_of_turn>", "<|end|>", "<|END_OF_TURN_TOKEN|>"})
      if (const TokenId id = s_.vocabulary->find(text); id != kNoToken && id != s_.eos)
        if (std::ranges::find(s_.ends, id) != s_.ends.end()) return id;
    return std::nullopt;
  }

  const TokenizerSource& s_;
  MetadataDraft& out_;
  int64_t n_own_;
  size_t n_;
  std::vector<int32_t> types_;
};

}  // namespace

Result<LlamaCppTokenizer> add_tokenizer_keys(const TokenizerSource& source, int64_t n_rows,
                                             MetadataDraft& out) {
  return Writer(source, n_rows, out).write();
}

}  // namespace nibble::text
