#include "core/sample/settings.h"

#include <cmath>

#include "core/base/assert.h"
#include "core/base/json.h"
#include "formats/metadata.h"

namespace nibble {
namespace {

Result<std::optional<double>> checked(const SamplerSetting& setting, std::string_view key,
                                      double value) {
  if (setting.takes(value)) return value;
  return unsupported("{}: {}, expected {}", key, value, setting.expected());
}

}  // namespace

bool SamplerSetting::takes(double value) const {
  return value >= least && value <= most && (!is_whole() || value == std::trunc(value));
}

std::string SamplerSetting::expected() const {
  return fmt::format("{}{} to {}", is_whole() ? "a whole number, " : "", least, most);
}

void SamplerSetting::set(SamplerSettings& settings, double value) const {
  NIBBLE_ASSERT(takes(value));
  std::visit([&]<class T>(T SamplerSettings::*at) { settings.*at = static_cast<T>(value); },
             member);
}

std::string SamplerSetting::text(const SamplerSettings& settings) const {
  return std::visit([&](auto at) { return fmt::format("{}", settings.*at); }, member);
}

Result<std::optional<double>> declared_setting(const SamplerSetting& setting,
                                               const Metadata& metadata) {
  if (setting.gguf_key.empty()) return std::nullopt;
  const std::string key = fmt::format("general.sampling.{}", setting.gguf_key);
  NIBBLE_TRY(const auto value, metadata.get_f64(key));
  return value ? checked(setting, key, *value) : std::nullopt;
}

Result<std::optional<double>> declared_setting(const SamplerSetting& setting,
                                               const Json& generation_config) {
  if (setting.hf_key.empty()) return std::nullopt;
  const auto at = generation_config.find(setting.hf_key);
  if (at == generation_config.end() || !at->is_number()) return std::nullopt;
  return checked(setting, setting.hf_key, at->get<double>());
}

}  // namespace nibble
