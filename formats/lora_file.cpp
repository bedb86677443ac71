// See lora_file.h. Sources: PEFT's save_and_load.py and LoraLayer; llama.cpp's llama-adapter.cpp.
#include "formats/lora_file.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "formats/folder_files.h"
#include "formats/path_message.h"
#include "formats/peft_config.h"

namespace nibble {
namespace {

constexpr const char* kWeightNames[] = {"adapter_model.safetensors", "adapter_model.bin"};
constexpr std::string_view kPeftPrefix = "base_model.model.";
// Of the adapter that was trained, where PEFT did not leave its name out.
constexpr std::string_view kAdapterName = ".default";

struct Half {
  std::string name;  // of the pair
  bool is_b = false;
};

// "base_model.model.X.lora_A.weight" -> X.weight
Result<Half> peft_half(std::string_view tensor) {
  std::string_view name = tensor;
  if (!name.starts_with(kPeftPrefix))
    return unsupported("tensor {}: expected a name that begins with '{}'", in_quotes(tensor),
                       kPeftPrefix);
  name.remove_prefix(kPeftPrefix.size());
  for (const bool is_b : {false, true}) {
    const std::string_view part = is_b ? ".lora_B" : ".lora_A";
    for (const std::string& end :
         {std::string(part) + ".weight", std::string(part) + std::string(kAdapterName) + ".weight"})
      if (name.ends_with(end))
        return Half{std::string(name.substr(0, name.size() - end.size())) + ".weight", is_b};
  }
  if (name.find("lora_magnitude_vector") != name.npos)
    return unsupported("tensor {}: DoRA is not built in", in_quotes(tensor));
  if (name.find("lora_embedding_") != name.npos)
    return unsupported("tensor {}: a change of the token embedding is not built in",
                       in_quotes(tensor));
  return unsupported(
      "tensor {}: a whole weight (of new tokens, or of modules_to_save), not a change of low rank; "
      "merge the adapter with the tool that trained it",
      in_quotes(tensor));
}

// "X.lora_a" -> X
Result<Half> gguf_half(std::string_view tensor) {
  for (const bool is_b : {false, true})
    if (const std::string_view end = is_b ? ".lora_b" : ".lora_a"; tensor.ends_with(end))
      return Half{std::string(tensor.substr(0, tensor.size() - end.size())), is_b};
  return unsupported("tensor {}: expected a name that ends in .lora_a or .lora_b",
                     in_quotes(tensor));
}

Result<void> check_pair(const LoraPair& pair) {
  if (!pair.a.format || !pair.b.format)
    return corrupt("tensor {}: {} of the pair is missing", in_quotes(pair.name),
                   pair.a.format ? "B" : "A");
  const Shape &a = pair.a.shape, &b = pair.b.shape;
  const bool matrices = a.n_dims == b.n_dims && (a.n_dims == 2 || a.n_dims == 3);
  if (!matrices || a.dim[a.n_dims - 2] != b.n_cols() || (a.n_dims == 3 && a.dim[0] != b.dim[0]))
    return corrupt("tensor {}: A is {} and B {}, expected [rank, columns] and [rows, rank]",
                   in_quotes(pair.name), to_string(a), to_string(b));
  return {};
}

// Both halves of each pair, in the order in which the pairs begin.
Result<std::vector<LoraPair>> pair_up(std::span<const TensorView> tensors,
                                      Result<Half> (*half_of)(std::string_view)) {
  std::vector<LoraPair> pairs;
  std::map<std::string, size_t, std::less<>> place;
  for (const TensorView& t : tensors) {
    NIBBLE_TRY(const Half half, half_of(t.name));
    const auto [at, is_new] = place.emplace(half.name, pairs.size());
    if (is_new) pairs.push_back({.name = half.name, .a = {}, .b = {}});
    TensorView& to = half.is_b ? pairs[at->second].b : pairs[at->second].a;
    if (to.format) return corrupt("tensor {} stands there twice", in_quotes(t.name));
    to = t;
  }
  if (pairs.empty()) return corrupt("has no pair of matrices");
  for (const LoraPair& pair : pairs) NIBBLE_CHECK(check_pair(pair));
  return pairs;
}

}  // namespace

std::unexpected<Error> adapter_is_no_model() {
  return unsupported("is a LoRA adapter, not a model; name its base model, and this with --lora");
}

Result<void> refuse_adapter(const Metadata& keys) {
  NIBBLE_TRY(const auto type, keys.get_string("general.type"));
  if (type.value_or("model") == "adapter") return adapter_is_no_model();
  return {};
}

Result<void> LoraFile::read_gguf() {
  const Metadata& keys = gguf_->metadata();
  NIBBLE_TRY(const auto type, keys.get_string("general.type"));
  if (type.value_or("model") != "adapter")
    return unsupported("is a {}, not an adapter (key 'general.type')",
                       printable(type.value_or("model")));
  NIBBLE_TRY(const auto method, keys.need_string("adapter.type"));
  if (method != "lora")
    return unsupported("key 'adapter.type': {}, expected lora", in_quotes(method));
  if (keys.find("adapter.alora.invocation_tokens"))
    return unsupported(
        "key 'adapter.alora.invocation_tokens': an adapter that some tokens switch "
        "on, which is not built in");
  NIBBLE_TRY(const double alpha, keys.need_f64("adapter.lora.alpha"));
  if (!std::isfinite(alpha)) return corrupt("key 'adapter.lora.alpha' is not a finite number");
  NIBBLE_TRY(pairs_, pair_up(gguf_->tensors(), gguf_half));
  for (LoraPair& pair : pairs_)  // an alpha of zero means none
    pair.scale = alpha == 0 ? 1.0f : static_cast<float>(alpha / static_cast<double>(pair.rank()));
  return {};
}

Result<void> LoraFile::read_peft() {
  NIBBLE_TRY(const Json json, read_json_in_folder(path_, kAdapterConfig));
  NIBBLE_TRY(const PeftConfig config, with_path(path_ / kAdapterConfig, PeftConfig::read(json)));
  const auto* const name = std::ranges::find_if(
      kWeightNames, [this](const char* candidate) { return has_file(path_, candidate); });
  if (name == std::end(kWeightNames))
    return with_path(path_, fail(ErrorKind::kNotFound, "has neither {} nor {}", kWeightNames[0],
                                 kWeightNames[1]));
  NIBBLE_TRY(CheckpointFile opened, open_checkpoint_file(path_, *name));
  files_.push_back(std::move(opened));
  const auto& file = files_.front();
  NIBBLE_TRY(tensors_, with_path(file.file.path(), make_logical(file.tensors, {})));
  NIBBLE_TRY(pairs_, with_path(file.file.path(), pair_up(tensors_.views, peft_half)));
  for (LoraPair& pair : pairs_) {
    const std::string_view module = std::string_view(pair.name).substr(
        0, pair.name.size() - std::string_view(".weight").size());
    if (pair.rank() != config.rank(module))
      return with_path(file.file.path(),
                       corrupt("tensor {}: rank {}, but {} says {}", in_quotes(pair.name),
                               pair.rank(), kAdapterConfig, config.rank(module)));
    pair.scale = config.scale(module);
  }
  return {};
}

Result<LoraFile> LoraFile::open(const std::filesystem::path& path) {
  std::error_code ignored;
  LoraFile out;
  out.path_ = path;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (!is_folder && path.extension() != ".gguf" && has_file(parent, kAdapterConfig))
    out.path_ = parent;
  else if (!is_folder) {
    NIBBLE_TRY(out.gguf_, open_weight_file(path));
    NIBBLE_CHECK(with_path(path, out.read_gguf()));
    return out;
  }
  if (!has_file(out.path_, kAdapterConfig))
    return with_path(path, fail(ErrorKind::kNotFound,
                                "is a folder without an adapter: it has no {}", kAdapterConfig));
  NIBBLE_CHECK(out.read_peft());
  return out;
}

}  // namespace nibble
