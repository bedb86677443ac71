// See folder_config.h.
#include "core/models/folder_config.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "core/models/tensor_source.h"

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

bool differ(const TensorView& a, const TensorView& b) {
  if (a.shape != b.shape || a.shape.n_dims != 2) return false;
  const bool plain = !a.decoder && !b.decoder;
  if (plain && a.bytes.data() == b.bytes.data()) return false;
  if (plain && a.format == b.format) return !std::ranges::equal(a.bytes, b.bytes);
  std::vector<float> x(static_cast<size_t>(a.shape.n_cols())), y(x.size());
  for (int64_t r = 0; r < a.shape.n_rows(); ++r) {
    decode_rows(a, r, 1, x.data());
    decode_rows(b, r, 1, y.data());
    if (x != y) return true;
  }
  return false;
}

// Whether a matrix is stored for the output that is not the embedding, though the config ties the
// two. transformers then warns, and ties nothing.
Result<bool> has_own_output(const FolderConfig& folder, const WeightFile& file) {
  NIBBLE_TRY(Hparams h, folder.architecture->read_hparams({folder.metadata, nullptr}));
  if (!h.tied) return false;
  h.tied = false;
  OwnedParts none;
  const TensorSource source(file, h, none);
  const TensorView *embedding = nullptr, *output = nullptr;
  for (const TensorSpec& spec : folder.architecture->tensors(h)) {
    const bool embeds = spec.gguf_name == "token_embd.weight";
    if (!embeds && spec.gguf_name != "output.weight") continue;
    NIBBLE_TRY(const auto found, source.find(spec));
    if (!found.empty()) (embeds ? embedding : output) = found[0];
  }
  return embedding && output && differ(*embedding, *output);
}

}  // namespace

Result<FolderConfig> read_folder_config(const Json& config, const WeightFile* file) {
  if (!config.is_object()) return corrupt("config.json: not an object");
  const std::string_view name = class_of(config);
  FolderConfig out;
  out.architecture = find_hf_class(name);
  Json part = text_part(config, out.architecture, file);
  if (!out.architecture) out.architecture = find_hf_class(class_of(part));
  if (!out.architecture || !out.architecture->read_config)
    return unsupported("config.json: architecture {} is not built in", in_quotes(name));
  NIBBLE_TRY(out.metadata, out.architecture->read_config(part));
  if (!file) return out;
  NIBBLE_TRY(const bool own, has_own_output(out, *file));
  if (!own) return out;
  part["tie_word_embeddings"] = false;
  NIBBLE_TRY(out.metadata, out.architecture->read_config(part));
  return out;
}

}  // namespace nibble
