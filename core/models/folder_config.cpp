// See folder_config.h.
#include "core/models/folder_config.h"

#include <algorithm>

#include "core/base/json.h"

namespace nibble {
namespace {

// architectures[0] of a config; empty: it has none.
std::string_view class_of(const Json& config) {
  const auto classes = config.find("architectures");
  if (classes == config.end() || !classes->is_array() || classes->empty()) return {};
  const auto* name = classes->front().get_ptr<const std::string*>();
  return name ? std::string_view(*name) : std::string_view();
}

bool has_output(const WeightFile& file) {
  return std::ranges::any_of(
      file.tensors(), [](const TensorView& t) { return t.name.ends_with("lm_head.weight"); });
}

// Tying may be said inside, outside, or differently in both: the wrapper's class has a default of
// its own, which is stored as if it were meant.
bool is_tied(const Json& outside, const Json& inside, const WeightFile* file) {
  if (inside.is_null() || inside == outside) return outside == true;
  return file ? !has_output(*file) : outside == true;
}

// The text model's part of a config; the whole where it has no parts.
Json text_part(const Json& config, const WeightFile* file) {
  for (const char* name : {"text_config", "llm_config", "language_config"}) {
    const auto part = config.find(name);
    if (part == config.end() || !part->is_object()) continue;
    Json text = *part;
    if (const auto tied = config.find("tie_word_embeddings");
        tied != config.end() && tied->is_boolean())
      text["tie_word_embeddings"] = is_tied(*tied, text.value("tie_word_embeddings", Json()), file);
    return text;
  }
  return config;
}

}  // namespace

Result<FolderConfig> read_folder_config(const Json& config, const WeightFile* file) {
  if (!config.is_object()) return corrupt("config.json: not an object");
  const std::string_view name = class_of(config);
  const Json part = text_part(config, file);
  FolderConfig out;
  out.architecture = find_hf_class(name);
  if (!out.architecture) out.architecture = find_hf_class(class_of(part));
  if (!out.architecture || !out.architecture->read_config)
    return unsupported("config.json: architecture '{}' is not built in", name);
  NIBBLE_TRY(out.metadata, out.architecture->read_config(part));
  return out;
}

}  // namespace nibble
