// The lists of `nibble inspect`: metadata, tensors, installed models.
#include <algorithm>
#include <filesystem>

#include "cli/inspect.h"
#include "cli/model_path.h"
#include "cli/output.h"
#include "cli/units.h"
#include "core/base/json.h"

namespace nibble::cli {
namespace {

constexpr size_t kShownElements = 5;
constexpr size_t kShownText = 80;

Json to_json(const MetadataValue& value) {
  return std::visit(
      []<class T>(const T& v) -> Json {
        if constexpr (std::is_same_v<T, MetadataArray>)
          return std::visit([](const auto& elements) { return Json(elements); }, v);
        else
          return Json(v);
      },
      value);
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string shortened(std::string_view text) {
  if (text.size() <= kShownText) return one_line(text);
  size_t n = kShownText;
  while (n > kShownText - 4 && continues_character(text[n])) --n;
  return fmt::format("{}... ({} bytes)", one_line(text.substr(0, n)), text.size());
}

std::string to_text(const MetadataValue& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return shortened(*text);
  const auto* array = std::get_if<MetadataArray>(&value);
  if (!array) return dump_json(to_json(value));
  return std::visit(
      [](const auto& elements) {
        std::string out = "[";
        for (size_t i = 0; i < std::min(elements.size(), kShownElements); ++i)
          out += (i ? ", " : "") + one_line(dump_json(Json(elements[i])));
        const bool more = elements.size() > kShownElements;
        return out + (more ? fmt::format(", ... {} in all]", elements.size()) : "]");
      },
      *array);
}

Result<void> show_key(const WeightFile& file, const InspectOptions& options) {
  const MetadataValue* value = file.metadata().find(options.key);
  if (!value)
    return fail(ErrorKind::kUsage, "no metadata key '{}'; --metadata lists them", options.key);
  if (const auto* text = std::get_if<std::string_view>(value); text && !options.json)
    return write_out(std::string(*text) + "\n");
  return write_out(dump_json(to_json(*value)) + "\n");
}

std::string shape_text(const TensorView& tensor) { return to_string(tensor.shape); }

}  // namespace

Result<void> inspect_metadata(const WeightFile& file, const InspectOptions& options) {
  if (!options.key.empty()) return show_key(file, options);
  if (options.json) {
    Json document = Json::object();
    for (const auto& entry : file.metadata().entries()) document[entry.key] = to_json(entry.value);
    return write_out(dump_json(document, 1) + "\n");
  }
  std::string out;
  for (const auto& entry : file.metadata().entries())
    out += fmt::format("{} = {}\n", one_line(entry.key), to_text(entry.value));
  return write_out(out);
}

Result<void> inspect_tensors(const WeightFile& file, const InspectOptions& options) {
  if (options.json) {
    Json document = Json::array();
    for (const TensorView& tensor : file.tensors()) {
      const std::vector<int64_t> shape(tensor.shape.dim.begin(),
                                       tensor.shape.dim.begin() + tensor.shape.n_dims);
      document.push_back({{"name", tensor.name},
                          {"type", tensor.format->name},
                          {"shape", shape},
                          {"bytes", tensor.bytes.size()}});
    }
    return write_out(dump_json(document, 1) + "\n");
  }
  size_t name_width = 4, shape_width = 5;
  for (const TensorView& tensor : file.tensors()) {
    name_width = std::max(name_width, tensor.name.size());
    shape_width = std::max(shape_width, shape_text(tensor).size());
  }
  name_width = std::min(name_width, kShownText);
  std::string out;
  for (const TensorView& tensor : file.tensors())
    out += fmt::format("{:<{}}  {:<8} {:<{}}  {:>12}\n", one_line(tensor.name), name_width,
                       tensor.format->name, shape_text(tensor), shape_width,
                       human_bytes(tensor.bytes.size()));
  return write_out(out);
}

Result<void> inspect_installed(const InspectOptions& options) {
  Json document = Json::array();
  std::string out;
  for (const std::string& name : installed_models()) {
    const auto path = models_folder() / name;
    std::error_code error;
    const bool is_file = std::filesystem::is_regular_file(path, error);
    const uint64_t n_bytes = is_file ? std::filesystem::file_size(path, error) : 0;
    const bool is_default = name == kDefaultModel;
    document.push_back(
        {{"name", name}, {"path", path.string()}, {"bytes", n_bytes}, {"default", is_default}});
    out +=
        fmt::format("{:<44} {:>12}{}\n", one_line(name), is_file ? human_bytes(n_bytes) : "folder",
                    is_default ? "  (default of 'nibble run')" : "");
  }
  if (options.json) return write_out(dump_json(document, 1) + "\n");
  if (out.empty())
    notice("no models in {}; scripts/run installs the default one", models_folder().string());
  return write_out(out);
}

}  // namespace nibble::cli
