// Where models keep their chat templates.
#include <algorithm>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "core/text/chat.h"
#include "formats/folder_files.h"

namespace nibble {
namespace {

constexpr size_t kMaxFile = 64u << 20;

// The text of a file of the folder, or of a folder in it; nothing when there is none of that name.
Result<std::optional<std::string>> read_if_there(const std::filesystem::path& folder,
                                                 const std::filesystem::path& name) {
  if (!has_file(folder, name.native())) return std::nullopt;
  const std::string subfolder = name.parent_path(), file_name = name.filename();
  NIBBLE_TRY(const MappedFile file, open_in_folder(folder, file_name, subfolder));
  const size_t size = file.bytes().size();
  if (size > kMaxFile)
    return corrupt("{}: {} bytes, at most {} are read", file.path().string(), size, kMaxFile);
  return std::string(file.text());
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
Result<void> put_member(std::vector<NamedTemplate>& all, const std::filesystem::path& folder,
                        std::string_view name) {
  NIBBLE_TRY(const auto text, read_if_there(folder, name));
  if (!text) return {};
  auto json = parse_json(*text);
  if (!json) return corrupt("{}: {}", (folder / name).string(), json.error().message);
  if (json->is_object() && json->contains("chat_template"))
    put_value(all, (*json)["chat_template"]);
  return {};
}

const std::filesystem::path kAdditional = "additional_chat_templates";

Result<void> put_additional(std::vector<NamedTemplate>& all, const std::filesystem::path& folder) {
  if (!has_file(folder, kAdditional.native())) return {};
  std::error_code error;
  std::vector<std::filesystem::path> names;
  for (std::filesystem::directory_iterator at(folder / kAdditional, error), end;
       !error && at != end; at.increment(error))
    if (at->path().extension() == ".jinja") names.push_back(kAdditional / at->path().filename());
  if (error)
    return fail(ErrorKind::kInvalidInput, "{}: cannot be listed: {}",
                printable((folder / kAdditional).native(), 200), error.message());
  std::ranges::sort(names);
  for (const auto& name : names) {
    NIBBLE_TRY(auto text, read_if_there(folder, name));
    if (text) put(all, name.stem().native(), std::move(*text));
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
  NIBBLE_CHECK(put_member(all, folder, "chat_template.json"));
  NIBBLE_CHECK(put_member(all, folder, "tokenizer_config.json"));
  NIBBLE_TRY(auto file, read_if_there(folder, "chat_template.jinja"));
  if (file) put(all, "default", std::move(*file));
  NIBBLE_CHECK(put_additional(all, folder));
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
