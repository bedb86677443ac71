#include "core/text/pipeline_json.h"

#include <limits>

#include "core/base/json.h"
#include "core/text/fields.h"

namespace nibble::text {
namespace {
constexpr std::string_view kSpace = "\u2581";

Json replace_json(std::string_view from, std::string_view to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

Json decoders_json(bool space_prefix, bool bytes) {
  Json list = Json::array({replace_json(kSpace, " ")});
  if (bytes) list.push_back({{"type", "ByteFallback"}});
  list.push_back({{"type", "Fuse"}});
  if (space_prefix)
    list.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", std::move(list)}};
}
}  // namespace

Json sentencepiece_bpe_json(bool space_prefix, std::string_view unk) {
  Json list = Json::array();
  if (space_prefix) list.push_back({{"type", "Prepend"}, {"prepend", kSpace}});
  list.push_back(replace_json(" ", kSpace));
  Json model = {{"type", "BPE"}, {"byte_fallback", true}, {"fuse_unk", true}};
  if (!unk.empty()) model["unk_token"] = unk;
  return {{"normalizer", {{"type", "Sequence"}, {"normalizers", std::move(list)}}},
          {"decoder", decoders_json(space_prefix, true)},
          {"model", std::move(model)}};
}

Json unigram_json(bool space_prefix, bool squeeze, std::optional<TokenId> unk) {
  Json out = {{"pre_tokenizer",
               {{"type", "Metaspace"},
                {"replacement", kSpace},
                {"prepend_scheme", space_prefix ? "always" : "never"},
                {"split", true}}},
              {"decoder", decoders_json(space_prefix, true)},
              {"model", {{"type", "Unigram"}, {"byte_fallback", true}}}};
  if (unk) out["model"]["unk_id"] = *unk;
  if (squeeze) {
    Json runs = {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}};
    out["normalizer"] = {{"type", "Sequence"},
                         {"normalizers", Json::array({{{"type", "Strip"}}, std::move(runs)})}};
  }
  return out;
}

Json affixes_json(std::optional<TokenId> before, std::optional<TokenId> after) {
  if (!before && !after) return nullptr;
  Json single = Json::array(), specials = Json::object();
  const auto add = [&](std::string_view name, TokenId id) {
    single.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
    specials[std::string(name)] = {{"id", name}, {"ids", Json::array({id})}};
  };
  if (before) add("before", *before);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  if (after) add("after", *after);
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"special_tokens", std::move(specials)}};
}

Result<std::vector<AddedToken>> read_added_tokens(const Json& pipeline) {
  std::vector<AddedToken> out;
  const auto list = pipeline.find("added_tokens");
  if (list == pipeline.end() || list->is_null()) return out;
  if (!list->is_array()) return corrupt("added_tokens: expected an array");
  for (const Json& json : *list) {
    NIBBLE_TRY(const Fields fields, Fields::of(json, "added_tokens"));
    AddedToken token;
    NIBBLE_TRY(token.content, fields.need_string("content"));
    NIBBLE_TRY(const int64_t id, fields.integer("id", -1));
    if (id < 0 || id > std::numeric_limits<TokenId>::max())
      return corrupt("added_tokens: '{}' has no id", token.content);
    token.id = static_cast<TokenId>(id);
    NIBBLE_TRY(token.special, fields.boolean("special", false));
    NIBBLE_TRY(token.lstrip, fields.boolean("lstrip", false));
    NIBBLE_TRY(token.rstrip, fields.boolean("rstrip", false));
    NIBBLE_TRY(token.single_word, fields.boolean("single_word", false));
    NIBBLE_TRY(token.normalized, fields.boolean("normalized", !token.special));
    if (!token.content.empty()) out.push_back(std::move(token));
  }
  return out;
}

}  // namespace nibble::text
