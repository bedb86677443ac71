// See hf_texts.h. Names: transformers' tokenizer and generation configurations, the Hub's model
// cards.
#include "core/pipeline/hf_texts.h"

#include <algorithm>
#include <set>

#include "core/sample/settings.h"
#include "core/text/gguf_tokenizer.h"
#include "core/text/tokenizer_json.h"

namespace nibble {
namespace {

using text::TokenizerSource;

std::optional<uint64_t> id_of(const Metadata& m, std::string_view name) {
  const auto id = m.get_u64(fmt::format("tokenizer.ggml.{}_token_id", name));
  return id ? *id : std::nullopt;
}

Json token_text(const TokenizerSource& source, std::optional<uint64_t> id) {
  if (!id || *id >= static_cast<uint64_t>(source.vocabulary->size())) return nullptr;
  return std::string(source.vocabulary->text(static_cast<TokenId>(*id)));
}

// The one template as a text, several as a list.
Result<Json> chat_template(const Metadata& m) {
  NIBBLE_TRY(const auto main, m.get_string("tokenizer.chat_template"));
  NIBBLE_TRY(const auto* names, m.get_strings("tokenizer.chat_templates"));
  if (!names || names->empty()) return main ? Json(std::string(*main)) : Json(nullptr);
  Json list = Json::array();
  const auto add = [&](std::string_view name, std::string_view source) {
    list.push_back({{"name", std::string(name)}, {"template", std::string(source)}});
  };
  if (main) add("default", *main);
  for (const std::string_view name : *names) {
    NIBBLE_TRY(const auto source, m.get_string(fmt::format("tokenizer.chat_template.{}", name)));
    if (source) add(name, *source);
  }
  return list;
}

Json added_tokens(const TokenizerSource& source) {
  Json out = Json::object();
  for (const text::AddedToken& t : source.added)
    out[std::to_string(t.id)] = {{"content", t.content},         {"lstrip", t.lstrip},
                                 {"normalized", t.normalized},   {"rstrip", t.rstrip},
                                 {"single_word", t.single_word}, {"special", t.special}};
  return out;
}

Result<Json> tokenizer_config(const Metadata& m, const TokenizerSource& source, int n_ctx) {
  Json out = {{"tokenizer_class", "PreTrainedTokenizerFast"},
              {"clean_up_tokenization_spaces", false},
              {"model_max_length", n_ctx},
              {"added_tokens_decoder", added_tokens(source)}};
  const auto token = [&](const char* key, std::optional<uint64_t> id) {
    if (const Json value = token_text(source, id); !value.is_null()) out[key] = value;
  };
  token("bos_token", source.bos ? std::optional<uint64_t>(*source.bos) : std::nullopt);
  token("eos_token", source.eos ? std::optional<uint64_t>(*source.eos) : std::nullopt);
  token("unk_token", id_of(m, "unknown"));
  token("pad_token", id_of(m, "padding"));
  NIBBLE_TRY(const Json chat, chat_template(m));
  if (!chat.is_null()) out["chat_template"] = chat;
  return out;
}

Result<Json> generation_config(const Metadata& m, const TokenizerSource* source) {
  Json out = Json::object();
  add_token_ids(m, out);
  if (source) {
    std::set<uint64_t> ends;
    if (source->eos) ends.insert(static_cast<uint64_t>(*source->eos));
    for (const TokenId id : source->ends) ends.insert(static_cast<uint64_t>(id));
    if (ends.size() > 1)
      out["eos_token_id"] = Json(std::vector<uint64_t>(ends.begin(), ends.end()));
  }
  bool samples = false;
  for (const SamplerSetting& setting : kSamplerSettings) {
    if (setting.hf_key.empty()) continue;
    NIBBLE_TRY(const auto value, declared_setting(setting, m));
    if (!value) continue;
    const std::string key(setting.hf_key);
    if (setting.is_whole())
      out[key] = static_cast<int>(*value);
    else
      out[key] = std::stod(fmt::format("{}", static_cast<float>(*value)));
    samples = true;
  }
  if (samples) out["do_sample"] = true;
  return out;
}

// A key of the card's header, as a text or as a list of texts; JSON strings are YAML too.
void add_line(const Metadata& m, const char* key, const char* name, std::string& out) {
  if (m.is_array(key)) {
    const auto list = m.get_strings(key);
    if (!list || !*list || (*list)->empty()) return;
    out += fmt::format("{}:\n", name);
    for (const auto text : **list) out += fmt::format("- {}\n", dump_json(std::string(text)));
  } else if (const auto text = m.get_string(key); text && *text) {
    out += fmt::format("{}: {}\n", name, dump_json(std::string(**text)));
  }
}

std::string base_models(const Metadata& m) {
  std::string out;
  const auto n = m.get_u64("general.base_model.count");
  for (uint64_t i = 0; n && *n && i < std::min<uint64_t>(**n, 64); ++i) {
    const auto part = [&](const char* what) {
      const auto text = m.get_string(fmt::format("general.base_model.{}.{}", i, what));
      return text && *text ? std::string(**text) : std::string();
    };
    const std::string name = part("name"), organization = part("organization");
    if (name.empty()) continue;
    out +=
        fmt::format("- {}\n", dump_json(organization.empty() ? name : organization + "/" + name));
  }
  return out.empty() ? out : "base_model:\n" + out;
}

std::string model_card(const Metadata& m) {
  std::string head;
  add_line(m, "general.license", "license", head);
  add_line(m, "general.license.name", "license_name", head);
  add_line(m, "general.license.link", "license_link", head);
  head += base_models(m);
  add_line(m, "general.languages", "language", head);
  add_line(m, "general.tags", "tags", head);
  const auto name = m.get_string("general.name");
  const std::string title = name && *name ? std::string(**name) : "Model";
  return fmt::format("---\n{}library_name: transformers\n---\n# {}\n", head, title);
}

}  // namespace

void add_token_ids(const Metadata& m, Json& config) {
  for (const auto& [name, key] :
       {std::pair{"bos", "bos_token_id"}, {"eos", "eos_token_id"}, {"padding", "pad_token_id"}})
    if (const auto id = id_of(m, name)) config[key] = *id;
}

Result<std::map<std::string, std::string>> hf_texts(const Metadata& m, int n_ctx) {
  std::map<std::string, std::string> out;
  std::optional<TokenizerSource> source;
  if (m.find("tokenizer.ggml.model") && m.find("tokenizer.ggml.tokens")) {
    NIBBLE_TRY(source, text::read_gguf_tokenizer(m));
    NIBBLE_TRY(const Json tokenizer, text::tokenizer_json(*source));
    NIBBLE_TRY(const Json config, tokenizer_config(m, *source, n_ctx));
    out["tokenizer.json"] = dump_json(tokenizer, 1) + "\n";
    out["tokenizer_config.json"] = dump_json(config, 2) + "\n";
  }
  NIBBLE_TRY(const Json generation, generation_config(m, source ? &*source : nullptr));
  out["generation_config.json"] = dump_json(generation, 2) + "\n";
  out["README.md"] = model_card(m);
  return out;
}

}  // namespace nibble
