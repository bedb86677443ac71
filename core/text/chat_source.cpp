// Where models keep their chat templates.
#include <fstream>
#include <sstream>

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

// The entry of [{"name": .., "template": ..}, ..] for the request.
std::optional<std::string> choose(const Json& named, bool with_tools) {
  std::optional<std::string> chosen;
  for (const Json& entry : named) {
    if (!entry.is_object()) continue;
    const Json name = entry.value("name", Json()), source = entry.value("template", Json());
    if (!source.is_string()) continue;
    if (name == "default" && !chosen) chosen = source.get<std::string>();
    if (name == "tool_use" && with_tools) chosen = source.get<std::string>();
  }
  return chosen;
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

Result<std::optional<std::string>> chat_template_of(const std::filesystem::path& folder,
                                                    bool with_tools) {
  NIBBLE_TRY(auto file, read_if_there(folder / "chat_template.jinja"));
  if (file) return file;
  NIBBLE_TRY(const auto text, read_if_there(folder / "tokenizer_config.json"));
  if (!text) return std::nullopt;
  auto config = parse_json(*text);
  if (!config)
    return corrupt("{}: {}", (folder / "tokenizer_config.json").string(), config.error().message);
  if (!config->is_object() || !config->contains("chat_template")) return std::nullopt;
  const Json& value = (*config)["chat_template"];
  if (value.is_string()) return value.get<std::string>();
  return choose(value, with_tools);
}

}  // namespace nibble
