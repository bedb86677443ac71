#include "core/text/gpt2_files.h"

#include <algorithm>
#include <array>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "formats/folder_files.h"

namespace nibble::text {
namespace {
namespace fs = std::filesystem;

constexpr std::array kClasses = {"GPT2Tokenizer", "GPT2TokenizerFast", "CodeGenTokenizer",
                                 "CodeGenTokenizerFast"};
constexpr std::string_view kEndOfText = "<|endoftext|>";

bool flag(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

Result<Json> read_settings(const fs::path& folder) {
  if (!has_file(folder, "tokenizer_config.json")) return Json::object();
  NIBBLE_TRY(Json settings, read_json_in_folder(folder, "tokenizer_config.json"));
  const Json name = settings.value("tokenizer_class", Json(kClasses[0]));
  const bool known =
      name.is_string() && std::ranges::find(kClasses, name.get<std::string>()) != kClasses.end();
  if (!known)
    return unsupported("{}: the tokenizer {} without a tokenizer.json is not read",
                       (folder / "tokenizer_config.json").string(), printable(dump_json(name)));
  if (flag(settings, "add_bos_token"))
    return unsupported("{}: 'add_bos_token' without a tokenizer.json is not read",
                       (folder / "tokenizer_config.json").string());
  return settings;
}

// The lines of merges.txt but its "#version" and empty ones.
Result<Json> read_merges(const fs::path& folder) {
  NIBBLE_TRY(const MappedFile file, open_in_folder(folder, "merges.txt"));
  Json merges = Json::array();
  std::string_view rest = file.text();
  for (bool first = true; !rest.empty(); first = false) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !(first && line.starts_with("#version"))) merges.push_back(line);
  }
  return merges;
}

// The end of text, the tokens of added_tokens.json, and those that tokenizer_config.json tells more
// of.
Result<Json> read_added(const fs::path& folder, const Json& settings, const Json& vocabulary) {
  Json added = Json::array();
  const auto add = [&](const Json& content, const Json& id, bool special) {
    added.push_back({{"id", id}, {"content", content}, {"special", special}});
  };
  if (const auto end = vocabulary.find(kEndOfText); end != vocabulary.end())
    add(kEndOfText, *end, true);
  if (has_file(folder, "added_tokens.json")) {
    NIBBLE_TRY(const Json more, read_json_in_folder(folder, "added_tokens.json"));
    for (const auto& [content, id] : more.items()) add(content, id, false);
  }
  const Json decoder = settings.value("added_tokens_decoder", Json::object());
  if (!decoder.is_object()) return added;
  std::erase_if(added.get_ref<Json::array_t&>(),
                [&](const Json& token) { return decoder.contains(dump_json(token["id"])); });
  for (const auto& [id, token] : decoder.items()) {
    NIBBLE_TRY(const Json number, parse_json(id));
    Json one = token.is_object() ? token : Json::object();
    one["id"] = number;
    added.push_back(std::move(one));
  }
  return added;
}

}  // namespace

Result<std::string> tokenizer_json_of_gpt2(const fs::path& folder) {
  NIBBLE_TRY(const Json settings, read_settings(folder));
  NIBBLE_TRY(Json vocabulary, read_json_in_folder(folder, "vocab.json"));
  NIBBLE_TRY(Json merges, read_merges(folder));
  NIBBLE_TRY(Json added, read_added(folder, settings, vocabulary));
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", flag(settings, "add_prefix_space")},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  Json out = Json::object();
  out["added_tokens"] = std::move(added);
  out["normalizer"] = nullptr;
  out["pre_tokenizer"] = out["post_processor"] = out["decoder"] = byte_level;
  out["model"] = {{"type", "BPE"}};
  out["model"]["vocab"] = std::move(vocabulary);
  out["model"]["merges"] = std::move(merges);
  return dump_json(out);
}

}  // namespace nibble::text
