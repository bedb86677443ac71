#include "core/pipeline/licence_claims.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/json.h"
#include "core/models/folder_config.h"
#include "core/pipeline/model_card.h"

namespace nibble {
namespace {

constexpr uint64_t kMaxBaseModels = 64;  // that are looked at

Result<std::string> text_at(const Metadata& m, std::string_view key) {
  NIBBLE_TRY(const auto value, m.get_string(key));
  return std::string(value.value_or(""));
}

Result<void> add_base_models(const Metadata& m, std::vector<ModelOrigin>& out) {
  NIBBLE_TRY(const auto count, m.get_u64("general.base_model.count"));
  for (uint64_t i = 0; i < std::min(count.value_or(0), kMaxBaseModels); ++i) {
    const auto part = [&](const char* what) {
      return text_at(m, fmt::format("general.base_model.{}.{}", i, what));
    };
    NIBBLE_TRY(const std::string organization, part("organization"));
    NIBBLE_TRY(const std::string name, part("name"));
    if (!name.empty())
      out.push_back({"base model", organization.empty() ? name : organization + "/" + name});
    for (const char* what : {"repo_url", "url"}) {
      NIBBLE_TRY(std::string link, part(what));
      if (!link.empty()) out.push_back({"base model", std::move(link)});
    }
  }
  return {};
}

Result<FileClaims> claims_of(const Metadata& m) {
  FileClaims out;
  LicenceClaims& c = out.claims;
  const std::pair<const char*, std::string*> texts[] = {{"general.license", &c.value},
                                                        {"general.license.name", &c.name},
                                                        {"general.license.link", &c.link},
                                                        {"general.architecture", &c.architecture},
                                                        {"general.organization", &c.organization},
                                                        {"general.name", &c.title}};
  for (const auto& [key, to] : texts) {
    NIBBLE_TRY(*to, text_at(m, key));
  }
  NIBBLE_CHECK(add_base_models(m, c.origins));
  for (const char* key :
       {"general.source.huggingface.repository", "general.source.repo_url", "general.source.url"}) {
    NIBBLE_TRY(std::string source, text_at(m, key));
    if (!source.empty()) c.origins.push_back({"source", std::move(source)});
  }
  if (!c.value.empty()) out.where = "general.license";
  return out;
}

Result<FileClaims> claims_of_folder(const WeightFile& file) {
  NIBBLE_TRY(const ModelCard card, read_model_card(file.folder()));
  const auto all = [&](std::string_view key) {
    const auto at = card.find(key);
    return at == card.end() ? std::vector<std::string>() : at->second;
  };
  const auto joined = [&](std::string_view key) {
    return fmt::format("{}", fmt::join(all(key), ","));
  };
  FileClaims out{.claims = {.value = joined("license"),
                            .name = joined("license_name"),
                            .link = joined("license_link"),
                            .architecture = {},
                            .organization = {},
                            .origins = {},
                            .title = joined("model_name")},
                 .where = {}};
  for (std::string& base : all("base_model"))
    out.claims.origins.push_back({"base model", std::move(base)});
  if (const auto config =
          file.config() ? read_folder_config(*file.config()) : Result<FolderConfig>();
      config && config->architecture)
    out.claims.architecture = config->architecture->gguf_name;
  if (!out.claims.value.empty()) out.where = "README.md";
  return out;
}

}  // namespace

Result<FileClaims> licence_claims(const WeightFile& file) {
  return file.folder().empty() ? claims_of(file.metadata()) : claims_of_folder(file);
}

}  // namespace nibble
