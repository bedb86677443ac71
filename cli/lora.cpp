#include "cli/lora.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "core/base/printable.h"

namespace nibble::cli {
namespace {

std::optional<float> number(std::string_view text) {
  float x = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && std::isfinite(x) ? std::optional(x) : std::nullopt;
}

struct Given {
  std::string path;
  float scale = 1;
};

// A path that is there is a path, whatever colons it has.
Result<Given> parse(const std::string& text) {
  std::error_code ignored;
  const size_t colon = text.rfind(':');
  if (colon == text.npos || std::filesystem::exists(text, ignored)) return Given{text};
  const auto scale = number(std::string_view(text).substr(colon + 1));
  if (!scale)
    return fail(ErrorKind::kUsage, "--lora {}: expected FILE_OR_FOLDER[:SCALE]", printable(text));
  return Given{text.substr(0, colon), *scale};
}

}  // namespace

Option* add_lora(App& app, std::vector<std::string>& adapters) {
  return add_list(app, "--lora", adapters,
                  "Apply a LoRA adapter: a PEFT folder or a GGUF file; may be repeated")
      ->type_name("FILE_OR_FOLDER[:SCALE]");
}

Result<LoraFiles> LoraFiles::open(const std::vector<std::string>& adapters) {
  LoraFiles out;
  for (const std::string& text : adapters) {
    NIBBLE_TRY(const Given given, parse(text));
    NIBBLE_TRY(LoraFile file, LoraFile::open(given.path));
    out.items_.push_back({std::make_unique<LoraFile>(std::move(file)), given.scale});
  }
  return out;
}

std::vector<LoraInput> LoraFiles::inputs() const {
  std::vector<LoraInput> out;
  for (const Item& item : items_) out.push_back({item.file.get(), item.scale});
  return out;
}

void LoraFiles::add_paths(std::vector<std::filesystem::path>& paths) const {
  for (const Item& item : items_) paths.push_back(item.file->path());
}

}  // namespace nibble::cli
