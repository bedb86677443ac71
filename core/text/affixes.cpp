#include "core/text/affixes.h"

#include "core/base/json.h"
#include "core/text/fields.h"

namespace nibble::text {
namespace {
constexpr std::string_view kWhere = "post-processor";
constexpr size_t kMaxAffixes = 1024;  // tokens beside a text, and parts of the template for them

Result<void> append_special(const Fields& fields, const std::string& name,
                            const Vocabulary& vocabulary, std::vector<TokenId>& out) {
  NIBBLE_TRY(const Json* specials, fields.need_object("special_tokens"));
  const auto special = specials->find(name);
  if (special == specials->end()) return corrupt("{}: '{}' is not declared", kWhere, name);
  NIBBLE_TRY(const Fields token, Fields::of(*special, kWhere));
  NIBBLE_TRY(const Json* ids, token.need_array("ids"));
  for (const Json& id : *ids) {
    const int64_t value = id.is_number_integer() ? id.get<int64_t>() : -1;
    if (value < 0 || value >= vocabulary.size())
      return corrupt("{}: '{}' has an id outside of the vocabulary", kWhere, name);
    if (out.size() == kMaxAffixes)
      return unsupported("{}: more than {} tokens on one side of a text", kWhere, kMaxAffixes);
    out.push_back(static_cast<TokenId>(value));
  }
  return {};
}

Result<Affixes> read_template(const Fields& fields, const Vocabulary& vocabulary) {
  Affixes out;
  NIBBLE_TRY(const Json* parts, fields.need_array("single"));
  if (parts->size() > kMaxAffixes)
    return unsupported("{}: a template of {} parts, at most {} are read", kWhere, parts->size(),
                       kMaxAffixes);
  bool seen_text = false;
  for (const Json& json : *parts) {
    NIBBLE_TRY(const Fields part, Fields::of(json, kWhere));
    if (part.find("Sequence")) {
      if (seen_text) return unsupported("{}: a template that repeats the text", kWhere);
      seen_text = true;
      continue;
    }
    NIBBLE_TRY(const Json* special, part.need_object("SpecialToken"));
    NIBBLE_TRY(const Fields named, Fields::of(*special, kWhere));
    NIBBLE_TRY(const std::string name, named.need_string("id"));
    NIBBLE_CHECK(append_special(fields, name, vocabulary, seen_text ? out.after : out.before));
  }
  if (!seen_text) return unsupported("{}: a template without the text", kWhere);
  return out;
}

// "cls" or "sep" of the BERT and RoBERTa kinds: [text, id].
Result<TokenId> token_pair(const Fields& fields, std::string_view key,
                           const Vocabulary& vocabulary) {
  NIBBLE_TRY(const Json* pair, fields.need_array(key));
  const bool good = pair->size() == 2 && (*pair)[1].is_number_integer();
  const int64_t id = good ? (*pair)[1].get<int64_t>() : -1;
  if (id < 0 || id >= vocabulary.size())
    return corrupt("{}: '{}' has no id of the vocabulary", kWhere, key);
  return static_cast<TokenId>(id);
}

Result<Affixes> read_sequence(const Fields& fields, const Vocabulary& vocabulary) {
  Affixes out;
  NIBBLE_TRY(const Json* list, fields.need_array("processors"));
  for (const Json& json : *list) {
    NIBBLE_TRY(const Affixes part, read_affixes(json, vocabulary));
    const bool adds = !part.before.empty() || !part.after.empty();
    if (adds && !(out.before.empty() && out.after.empty()))
      return unsupported("{}: a sequence in which two add tokens", kWhere);
    out.before.insert(out.before.begin(), part.before.begin(), part.before.end());
    out.after.insert(out.after.end(), part.after.begin(), part.after.end());
  }
  return out;
}
}  // namespace

Result<Affixes> read_affixes(const Json& json, const Vocabulary& vocabulary) {
  if (json.is_null()) return Affixes{};
  NIBBLE_TRY(const Fields fields, Fields::of(json, kWhere));
  NIBBLE_TRY(const std::string_view type, fields.type());
  if (type == "ByteLevel") return Affixes{};  // trims offsets, which nobody asks for here
  if (type == "TemplateProcessing") return read_template(fields, vocabulary);
  if (type == "Sequence") return read_sequence(fields, vocabulary);
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    NIBBLE_TRY(const TokenId cls, token_pair(fields, "cls", vocabulary));
    NIBBLE_TRY(const TokenId sep, token_pair(fields, "sep", vocabulary));
    return Affixes{{cls}, {sep}};
  }
  return unsupported("post-processor '{}' is not built in", type);
}

}  // namespace nibble::text
