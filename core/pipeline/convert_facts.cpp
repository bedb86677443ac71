#include "core/pipeline/convert_facts.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "core/base/json.h"
#include "core/base/printable.h"
#include "core/pipeline/model_card.h"
#include "core/sample/settings.h"
#include "formats/folder_files.h"
#include "formats/path_message.h"

namespace nibble {
namespace {

Result<void> add_sampling(const std::filesystem::path& folder, MetadataDraft& out) {
  constexpr std::string_view kFile = "generation_config.json";
  if (!has_file(folder, kFile)) return {};
  NIBBLE_TRY(const Json config, read_json_in_folder(folder, kFile));
  for (const SamplerSetting& setting : kSamplerSettings) {
    NIBBLE_TRY(const auto value, with_path(folder / kFile, declared_setting(setting, config)));
    const std::string key = fmt::format("general.sampling.{}", setting.gguf_key);
    if (value && setting.is_whole())
      out.set_i32(key, static_cast<int32_t>(*value));
    else if (value)
      out.set_f32(key, static_cast<float>(*value));
  }
  return {};
}

// A stranger's text as GGUF may hold it: valid UTF-8, one line, no longer than a description.
std::string fit(std::string_view text) { return printable(text, 4096); }
std::vector<std::string> fit(std::span<const std::string> texts) {
  std::vector<std::string> out;
  for (const std::string& text : texts) out.push_back(fit(text));
  return out;
}

// "org/name" or a link to it.
void add_base_model(std::string_view value, size_t i, MetadataDraft& out) {
  constexpr std::string_view kHub = "https://huggingface.co/";
  if (value.starts_with(kHub)) value.remove_prefix(kHub.size());
  const size_t slash = value.find('/');
  const auto key = [&](std::string_view what) {
    return fmt::format("general.base_model.{}.{}", i, what);
  };
  out.set_text(key("name"), fit(value.substr(slash == value.npos ? 0 : slash + 1)));
  if (slash == value.npos) return;
  out.set_text(key("organization"), fit(value.substr(0, slash)));
  out.set_text(key("repo_url"), fmt::format("{}{}", kHub, fit(value)));
}

void add_card(const ModelCard& card, MetadataDraft& out) {
  constexpr std::array<std::string_view, 2> kTexts[] = {{"license", "general.license"},
                                                        {"license_name", "general.license.name"},
                                                        {"license_link", "general.license.link"}};
  constexpr std::array<std::string_view, 2> kLists[] = {{"tags", "general.tags"},
                                                        {"language", "general.languages"}};
  for (const auto& [from, to] : kTexts)
    if (const auto at = card.find(from); at != card.end() && !at->second.empty())
      out.set_text(to, fit(fmt::format("{}", fmt::join(at->second, ","))));
  if (const auto at = card.find("base_model"); at != card.end() && !at->second.empty()) {
    out.set_u32("general.base_model.count", static_cast<uint32_t>(at->second.size()));
    for (size_t i = 0; i < at->second.size(); ++i) add_base_model(at->second[i], i, out);
  }
  for (const auto& [from, to] : kLists)
    if (const auto at = card.find(from); at != card.end() && !at->second.empty())
      out.set_texts(to, fit(at->second));
}

// general.file_type of the format that most weights have.
uint32_t file_type(std::span<const TensorView> tensors) {
  constexpr std::array<std::pair<std::string_view, uint32_t>, 4> kTypes = {
      {{"f32", 0}, {"f16", 1}, {"bf16", 32}, {"mxfp4", 38}}};
  std::map<std::string_view, int64_t> n_weights;
  for (const TensorView& t : tensors)
    if (t.shape.n_dims > 1) n_weights[t.format->name] += t.shape.n_elements();
  std::string_view most = "f32";
  for (const auto& [name, n] : n_weights)
    if (n > n_weights[most]) most = name;
  return std::ranges::find(kTypes, most, &std::pair<std::string_view, uint32_t>::first)->second;
}

std::string rounded(double n) {
  constexpr std::pair<double, char> kUnits[] = {{1e12, 'T'}, {1e9, 'B'}, {1e6, 'M'}, {0, 'K'}};
  const auto& [above, letter] =
      *std::ranges::find_if(kUnits, [&](const auto& unit) { return n > unit.first; });
  const double scaled = n / (letter == 'K' ? 1e3 : above);
  return fmt::format("{:.{}f}{}", scaled, std::nearbyint(scaled) < 10 ? 1 : 0, letter);
}

std::string name_of(const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto whole = std::filesystem::weakly_canonical(folder, ignored);
  return (whole.has_filename() ? whole : whole.parent_path()).filename().native();
}

}  // namespace

std::string size_label(std::span<const TensorView> tensors) {
  int64_t shared = 0, expert = 0, n_stacks = 0, n_experts = 0;
  for (const TensorView& t : tensors) {
    const bool bias = t.name.contains("_exps.bias");
    if (!t.name.contains("_exps.") || (!bias && t.shape.n_dims < 3)) {
      shared += t.shape.n_elements();
      continue;
    }
    const int64_t n = t.shape.dim[0];
    expert += t.shape.n_elements() / n;
    n_experts += n;
    ++n_stacks;
  }
  const auto n = static_cast<double>(shared + expert);
  return n_stacks ? fmt::format("{}x{}", n_experts / n_stacks, rounded(n)) : rounded(n);
}

Result<void> add_general_keys(const WeightFile& folder, std::string_view architecture,
                              std::span<const TensorView> tensors, MetadataDraft& out) {
  out.set_text("general.architecture", std::string(architecture));
  out.set_text("general.type", "model");
  NIBBLE_CHECK(add_sampling(folder.folder(), out));
  NIBBLE_TRY(const ModelCard card, read_model_card(folder.folder()));
  const auto name = card.find("model_name");
  out.set_text("general.name",
               fit(name != card.end() && !name->second.empty() ? name->second.front()
                                                               : name_of(folder.folder())));
  out.set_text("general.size_label", size_label(tensors));
  add_card(card, out);
  out.set_u32("general.file_type", file_type(tensors));
  out.set_u32("general.quantization_version", 2);
  return {};
}

}  // namespace nibble
