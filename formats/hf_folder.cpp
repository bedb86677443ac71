// A Hugging Face folder. Older GPTQ and AWQ checkpoints keep what config.json now holds in a file
// of their own.
#include "core/base/json.h"
#include "core/base/printable.h"
#include "formats/folder_files.h"
#include "formats/folder_model.h"
#include "formats/path_message.h"

namespace nibble {
namespace {

struct OwnFile {
  const char* name;
  const char* method;
};
constexpr OwnFile kQuantizationFiles[] = {{"quantize_config.json", "gptq"},
                                          {"quant_config.json", "awq"}};

Result<Json> read_config(const std::filesystem::path& folder) {
  NIBBLE_TRY(Json config, read_json_in_folder(folder, "config.json"));
  if (config.contains("quantization_config")) return config;
  // Multimodal checkpoints may keep it with the text model
  if (const auto text = config.find("text_config"); text != config.end() && text->is_object())
    if (const auto inner = text->find("quantization_config"); inner != text->end())
      config["quantization_config"] = Json(*inner);
  for (const OwnFile& own : kQuantizationFiles) {
    if (config.contains("quantization_config") || !has_file(folder, own.name)) continue;
    NIBBLE_TRY(Json quantization, read_json_in_folder(folder, own.name));
    if (!quantization.contains("quant_method")) quantization["quant_method"] = own.method;
    config["quantization_config"] = std::move(quantization);
  }
  return config;
}

}  // namespace

Result<std::unique_ptr<WeightFile>> open_hf_folder(const std::filesystem::path& folder) {
  auto parts = std::make_unique<FolderModel::Parts>();
  parts->container = "huggingface";
  parts->folder = folder;
  NIBBLE_TRY(parts->config, read_config(folder));
  NIBBLE_TRY(const Encoding encoding, with_path(folder, read_encoding(parts->config)));
  NIBBLE_TRY(parts->files, open_checkpoint(folder));
  for (CheckpointFile& part : parts->files)
    parts->raw.insert(parts->raw.end(), std::make_move_iterator(part.tensors.begin()),
                      std::make_move_iterator(part.tensors.end()));
  NIBBLE_TRY(parts->logical, with_path(folder, make_logical(parts->raw, encoding)));
  return FolderModel::create(std::move(parts));
}

}  // namespace nibble
