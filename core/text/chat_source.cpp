// Where models keep their chat templates.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/base/json.h"
#include "core/text/chat.h"

namespace nibble {
namespace {

constexpr uintmax_t kMaxFile = 64u << 20;

// The text of a file; nothing when there is none of that name.
Result<std::optional<std::string>> read_if_there(const std::filesystem::path& path) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return std::nullopt;
  if (size > kMaxFile)
    return corrupt("{}: {} bytes, at most {} are read", path.string(), size, kMaxFile);
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return corrupt("{}: cannot be read", path.string());
  return text.str();
}

// Replaces the template of that name, or adds it.
void put(std::vector<NamedTemplate>& all, std::string_view name, std::string source) {
  const auto at = std::ranges::find(all, name, &NamedTemplate::name);
  if (at != all.end())
    at->source = std::move(source);
  else
    all.push_back({std::string(name), std::move(source)});
}

// A text, or a list [{"name": .., "template": ..}, ..].
void put_value(std::vector<NamedTemplate>& all, const Json& value) {
  if (value.is_string()) return put(all, "default", value.get<std::string>());
  if (!value.is_array()) return;
  for (const Json& entry : value) {
    if (!entry.is_object()) continue;
    const Json name = entry.value("name", Json()), source = entry.value("template", Json());
    if (name.is_string() && source.is_string())
      put(all, name.get<std::string>(), source.get<std::string>());
  }
}

// The member "chat_template" of a JSON file.
Result<void> put_member(std::vector<NamedTemplate>& all, const std::filesystem::path& path) {
  NIBBLE_TRY(const auto text, read_if_there(path));
  if (!text) return {};
  auto json = parse_json(*text);
  if (!json) return corrupt("{}: {}", path.string(), json.error().message);
  if (json->is_object() && json->contains("chat_template"))
    put_value(all, (*json)["chat_template"]);
  return {};
}

Result<void> put_additional(std::vector<NamedTemplate>& all, const std::filesystem::path& folder) {
  std::error_code ignored;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".jinja") paths.push_back(entry.path());
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    NIBBLE_TRY(auto text, read_if_there(path));
    if (text) put(all, path.stem().native(), std::move(*text));
  }
  return {};
}

}  // namespace

Result<std::optional<std::string>> chat_template_of(const Metadata& metadata, bool with_tools) {
  constexpr std::string_view kKey = "tokenizer.chat_template";
  if (with_tools) {
    NIBBLE_TRY(const auto tool_use, metadata.get_string(std::string(kKey) + ".tool_use"));
    if (tool_use) return std::string(*tool_use);
  }
  NIBBLE_TRY(const auto source, metadata.get_string(kKey));
  return source ? std::optional(std::string(*source)) : std::nullopt;
}

Result<std::vector<NamedTemplate>> chat_templates_of(const std::filesystem::path& folder) {
  std::vector<NamedTemplate> all;
  NIBBLE_CHECK(put_member(all, folder / "chat_template.json"));
  NIBBLE_CHECK(put_member(all, folder / "tokenizer_config.json"));
  NIBBLE_TRY(auto file, read_if_there(folder / "chat_template.jinja"));
  if (file) put(all, "default", std::move(*file));
  NIBBLE_CHECK(put_additional(all, folder / "additional_chat_templates"));
  std::ranges::stable_partition(all, [](const NamedTemplate& t) { return t.name == "default"; });
  return all;
}

Result<std::optional<std::string>> chat_template_of(const std::filesystem::path& folder,
                                                    bool with_tools) {
  NIBBLE_TRY(const auto all, chat_templates_of(folder));
  std::optional<std::string> chosen;
  for (const NamedTemplate& t : all)
    if ((t.name == "default" && !chosen) || (t.name == "tool_use" && with_tools)) chosen = t.source;
  return chosen;
}

}  // namespace nibble
