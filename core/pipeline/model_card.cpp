#include "core/pipeline/model_card.h"

#include <algorithm>

#include "core/base/mapped_file.h"
#include "formats/folder_files.h"

namespace nibble {
namespace {

constexpr size_t kMaxCard = 1 << 20;  // bytes that are looked at

std::string_view trimmed(std::string_view s) {
  const size_t first = s.find_first_not_of(" \t\r");
  if (first == s.npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r") - first + 1);
}

std::string_view next_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// A scalar without its quotes; a comment behind an unquoted one goes.
std::string scalar(std::string_view s) {
  s = trimmed(s);
  if (s.size() >= 2 && (s[0] == '"' || s[0] == '\'') && s.back() == s[0])
    return std::string(s.substr(1, s.size() - 2));
  return std::string(trimmed(s.substr(0, s.find(" #"))));
}

// "[a, b]", or one text.
std::vector<std::string> values(std::string_view s) {
  if (!s.starts_with('[') || !s.ends_with(']')) return {scalar(s)};
  std::vector<std::string> out;
  s = s.substr(1, s.size() - 2);
  while (!trimmed(s).empty()) {
    const size_t end = std::min(s.find(','), s.size());
    out.push_back(scalar(s.substr(0, end)));
    s.remove_prefix(std::min(end + 1, s.size()));
  }
  return out;
}

bool is_structure(std::string_view value) {
  return value.starts_with('{') || value.starts_with('|') || value.starts_with('>') ||
         value.starts_with('&') || value.starts_with('*');
}

}  // namespace

ModelCard parse_model_card(std::string_view text) {
  ModelCard card;
  if (trimmed(next_line(text)) != "---") return card;
  std::vector<std::string>* list = nullptr;  // of the key that waits for items
  while (!text.empty()) {
    const std::string_view line = next_line(text), content = trimmed(line);
    if (content == "---") return card;
    const bool item = content.starts_with("- ");
    if (item && list && content.find(": ") == content.npos)
      list->push_back(scalar(content.substr(2)));
    if (item || content.empty() || line.starts_with(' ') || content.starts_with('#')) continue;
    const size_t colon = content.find(':');
    if (colon == content.npos) continue;
    const std::string_view value = trimmed(content.substr(colon + 1));
    auto& entry = card[std::string(trimmed(content.substr(0, colon)))];
    list = value.empty() ? &entry : nullptr;
    if (!value.empty() && !is_structure(value)) entry = values(value);
  }
  return {};  // the header has no end
}

Result<ModelCard> read_model_card(const std::filesystem::path& folder) {
  constexpr std::string_view kFile = "README.md";
  if (!has_file(folder, kFile)) return ModelCard();
  NIBBLE_TRY(const MappedFile file, open_in_folder(folder, kFile));
  return parse_model_card(file.text().substr(0, kMaxCard));
}

}  // namespace nibble
