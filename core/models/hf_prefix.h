// How published folders vary the beginning of tensors' names: the text part of a vision model, a
// bare base model.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nibble {

struct HfPrefix {
  std::string_view strip, prepend;

  // A name of a family's table as it stands in the folder.
  std::string of(std::string_view name) const {
    if (!name.starts_with(strip)) return std::string(name);
    return std::string(prepend) + std::string(name.substr(strip.size()));
  }
  // The other way round; nothing where the folder's name does not begin so.
  std::optional<std::string> table_name(std::string_view name) const {
    if (!name.starts_with(prepend)) return std::nullopt;
    return std::string(strip) + std::string(name.substr(prepend.size()));
  }
};
inline constexpr HfPrefix kHfPrefixes[] = {
    {"", ""},       {"", "language_model."}, {"model.", "model.language_model."},
    {"model.", ""}, {"transformer.", ""},    {"gpt_neox.", ""},
};

}  // namespace nibble
