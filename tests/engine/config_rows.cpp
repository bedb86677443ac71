// See config_rows.h.
#include "config_rows.h"

#include <doctest/doctest.h>

#include "core/base/json.h"
#include "core/models/architecture.h"
#include "core/models/folder_config.h"

namespace nibble::tests {
namespace {

Json whole(const char* hf_class, const char* text) {
  const auto parsed = parse_json(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  Json config = *parsed;
  if (!hf_class) return config;
  config["architectures"] = {hf_class};
  Json& part = config.contains("text_config") ? config["text_config"] : config;
  if (part.contains("n_embd")) return config;
  const Json sizes = {{"hidden_size", 64},
                      {"intermediate_size", 96},
                      {"num_attention_heads", 4},
                      {"num_hidden_layers", 4}};
  for (const auto& [key, value] : sizes.items())
    if (!part.contains(key)) part[key] = value;
  return config;
}

Result<Hparams> read(const Json& config) {
  NIBBLE_TRY(const auto folder, read_folder_config(config));
  return folder.architecture->read_hparams({folder.metadata, nullptr});
}

}  // namespace

void check_rows(std::span<const ConfigRow> rows) {
  for (const ConfigRow& row : rows) {
    const std::string title = std::string(row.hf_class ? row.hf_class : "") + " " + row.what;
    INFO(title);
    const auto h = read(whole(row.hf_class, row.config));
    REQUIRE_MESSAGE(h.has_value(), (h ? "" : h.error().message));
    CHECK(row.right(*h));
  }
}

std::string config_fault(const char* hf_class, const char* config) {
  const auto h = read(whole(hf_class, config));
  return h ? "" : h.error().message;
}

}  // namespace nibble::tests
