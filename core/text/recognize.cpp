#include "core/text/recognize.h"

#include "core/base/json.h"
#include "core/text/llama_cpp_names.h"
#include "core/text/probe_texts.h"

namespace nibble::text {
namespace {

constexpr std::string_view kSpace = "\u2581";

const Json& member(const Json& object, std::string_view key) {
  static const Json kNull;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : kNull;
}

// The probes' pieces, each followed by a byte that no text has.
std::string pieces(const PreTokenizer& pre, std::string_view text) {
  std::string out;
  PreTokenizeScratch scratch;
  scratch.budget = WorkBudget(text.size());
  pre.run({text, true}, scratch, [&](const Piece& piece) {
    out += piece.text;
    out += '\xff';
  });
  return out;
}

bool splits_alike(const PreTokenizer& a, const PreTokenizer& b) {
  for (const std::string_view text : probe_texts())
    if (!text.empty() && pieces(a, text) != pieces(b, text)) return false;
  return true;
}

// Normalizers that llama.cpp leaves out without harm to most texts: none, or canonical composition.
bool is_plain(const Json& normalizer) {
  return normalizer.is_null() || member(normalizer, "type") == "NFC" ||
         (member(normalizer, "type") == "Sequence" && member(normalizer, "normalizers").empty());
}

// Of several names for the same splits the one whose normalizer is the same too.
Result<std::string_view> name_of(const PreTokenizer& pre, const Json& pipeline) {
  const Json& ignores = member(member(pipeline, "model"), "ignore_merges");
  const Json& normalizer = member(pipeline, "normalizer");
  std::string_view found = LlamaCppTokenizer::kOwn;
  for (const std::string_view name : pipeline_names()) {
    NIBBLE_TRY(const NamedPipeline named, named_pipeline(name));
    if (!named.maps_bytes || named.ignore_merges != (ignores == true)) continue;
    NIBBLE_TRY(const PreTokenizer candidate, PreTokenizer::read(named.pre_tokenizer));
    if (!splits_alike(pre, candidate)) continue;
    if (member(named.normalizer, "type") == member(normalizer, "type")) return name;
    if (found == LlamaCppTokenizer::kOwn) found = name;
  }
  return found;
}

// What SentencePiece's rules for spaces make of "a b": with or without one before it; nothing where
// the pipeline does something else.
Result<std::optional<bool>> space_prefix(const PreTokenizer& pre, const Json& pipeline) {
  std::string text = "a b";
  PreTokenizeScratch scratch;
  if (const Json& json = member(pipeline, "normalizer"); !json.is_null()) {
    NIBBLE_TRY(const auto normalizer, read_normalizer(json));
    WorkBudget budget(text.size());
    NIBBLE_CHECK(normalizer->apply(text, true, scratch.regex, budget));
  }
  std::string out;
  pre.run({text, true}, scratch, [&](const Piece& piece) { out += piece.text; });
  const std::string plain = fmt::format("a{}b", kSpace);
  if (out == plain) return std::optional(false);
  if (out == fmt::format("{}{}", kSpace, plain)) return std::optional(true);
  return std::optional<bool>();
}

bool has_byte_level(const Json& pre_tokenizer) {
  if (member(pre_tokenizer, "type") == "ByteLevel") return true;
  for (const Json& part : member(pre_tokenizer, "pretokenizers"))
    if (member(part, "type") == "ByteLevel") return true;
  return false;
}

bool has_affixes(const Json& model) {  // WordPiece-like settings of a BPE
  const auto set = [&](std::string_view key) {
    const Json& value = member(model, key);
    return value.is_string() && !value.get_ref<const std::string&>().empty();
  };
  return set("continuing_subword_prefix") || set("end_of_word_suffix");
}

}  // namespace

Result<LlamaCppTokenizer> recognize(const TokenizerSource& source) {
  constexpr std::string_view kOwn = LlamaCppTokenizer::kOwn;
  const Json& model = member(source.pipeline, "model");
  NIBBLE_TRY(const PreTokenizer pre, PreTokenizer::read(member(source.pipeline, "pre_tokenizer")));
  const Json& type = member(model, "type");
  if (type == "WordPiece") return LlamaCppTokenizer{"bert", "default"};
  const bool unigram = type == "Unigram" || (type.is_null() && !source.scores.empty());
  if (has_byte_level(member(source.pipeline, "pre_tokenizer"))) {
    NIBBLE_TRY(const std::string_view name, name_of(pre, source.pipeline));
    const bool plain = is_plain(member(source.pipeline, "normalizer")) && !has_affixes(model);
    return LlamaCppTokenizer{"gpt2", plain ? name : kOwn};
  }
  NIBBLE_TRY(const auto prefix, space_prefix(pre, source.pipeline));
  if (!prefix || has_affixes(model)) return LlamaCppTokenizer{kOwn, "default"};
  return LlamaCppTokenizer{unigram ? "t5" : "llama", "default", *prefix};
}

}  // namespace nibble::text
