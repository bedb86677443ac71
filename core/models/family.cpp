// See family.h.
#include "core/models/family.h"

#include "core/base/printable.h"
#include "core/models/folder_config.h"
#include "formats/lora_file.h"

namespace nibble {
namespace {

std::string known_names() {
  std::string names;
  for (const Architecture* a : architectures()) {
    if (!names.empty()) names += ", ";
    names += a->gguf_name;
  }
  return names;
}

Result<Family> read(const WeightFile& file) {
  Family out;
  if (const Json* config = file.config()) {
    NIBBLE_TRY(const auto found, read_folder_config(*config, &file));
    out.architecture = found.architecture;
    NIBBLE_TRY(out.hparams, out.architecture->read_hparams({found.metadata, nullptr}));
    return out;
  }
  NIBBLE_CHECK(refuse_adapter(file.metadata()));
  NIBBLE_TRY(const auto name, file.metadata().need_string("general.architecture"));
  out.architecture = find_architecture(name);
  if (!out.architecture)
    return unsupported("key 'general.architecture': {} is not built in; nibble runs {}",
                       in_quotes(name), known_names());
  NIBBLE_TRY(out.hparams, out.architecture->read_hparams({file.metadata(), &file}));
  return out;
}

}  // namespace

Result<Family> read_family(const WeightFile& file) { return with_path_of(file, read(file)); }

}  // namespace nibble
