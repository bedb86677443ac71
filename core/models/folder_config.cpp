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
// its own, which is stored as if it were meant. Null: not said.
Json is_tied(const Json& outside, const Json& inside, bool ties_by_default,
             const WeightFile* file) {
  const bool said = outside.is_boolean();
  if (said && (inside.is_null() || inside == outside)) return outside;
  if (!said && (!ties_by_default || inside == true)) return inside;
  return file ? !has_output(*file) : !said || outside == true;
}

// The text model's part of a config; the whole where it has no parts. family: of the whole's class,
// or null.
Json text_part(const Json& config, const Architecture* family, const WeightFile* file) {
  const bool ties_by_default =
      family && std::ranges::find(family->hf_tied, class_of(config)) != family->hf_tied.end();
  for (const char* name : {"text_config", "llm_config", "language_config"}) {
    const auto part = config.find(name);
    if (part == config.end() || !part->is_object()) continue;
    Json text = *part;
    constexpr const char* kTied = "tie_word_embeddings";
    const Json tied =
        is_tied(config.value(kTied, Json()), text.value(kTied, Json()), ties_by_default, file);
    if (tied.is_boolean()) text[kTied] = tied;
    return text;
  }
  return config;
}

}  // namespace

Result<FolderConfig> read_folder_config(const Json& config, const WeightFile* file) {
  if (!config.is_object()) return corrupt("config.json: not an object");
  const std::string_view name = class_of(config);
  FolderConfig out;
  out.architecture = find_hf_class(name);
  const Json part = text_part(config, out.architecture, file);
  if (!out.architecture) out.architecture = find_hf_class(class_of(part));
  if (!out.architecture || !out.architecture->read_config)
    return unsupported("config.json: architecture '{}' is not built in", name);
  NIBBLE_TRY(out.metadata, out.architecture->read_config(part));
  return out;
}

}  // namespace nibble
