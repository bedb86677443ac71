#include "core/pipeline/lora_provenance.h"

#include "core/base/printable.h"
#include "core/pipeline/convert.h"
#include "core/pipeline/hash_files.h"
#include "formats/folder_files.h"

namespace nibble {
namespace {

constexpr std::string_view kPeftFiles[] = {"adapter_config.json", "adapter_model.safetensors",
                                           "adapter_model.bin"};

std::vector<std::filesystem::path> files_of(const LoraFile& adapter) {
  if (!adapter.has_hf_names()) return {adapter.path()};
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(adapter.path(), ignored);
  const auto in = folder ? adapter.path() : adapter.path().parent_path();
  std::vector<std::filesystem::path> files;
  for (const std::string_view name : kPeftFiles)
    if (has_file(in, name)) files.push_back(in / name);
  return files;
}

}  // namespace

Result<LoraProvenance> lora_provenance(std::span<const LoraInput> adapters, ThreadPool& pool,
                                       FunctionRef<bool(uint64_t, uint64_t)> go_on) {
  LoraProvenance out{.command = "nibble convert IN -o OUT", .files = {}, .hashes = {}};
  std::vector<std::filesystem::path> paths;
  for (const LoraInput& adapter : adapters) {
    out.command += fmt::format(" --lora FILE:{}", adapter.scale);
    for (const auto& path : files_of(*adapter.file)) {
      out.files.push_back(printable(path.filename().native(), 4096));
      paths.push_back(path);
    }
  }
  NIBBLE_TRY(out.hashes, hash_files(paths, pool, go_on));
  return out;
}

void add_lora_keys(const LoraProvenance& lora, MetadataDraft& draft) {
  draft.set_texts(kLoraFilesKey, lora.files);
  draft.set_texts(kLoraHashesKey, lora.hashes);
  add_command(lora.command, draft);
}

}  // namespace nibble
