#include "core/sample/settings.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace nibble;

namespace {
const SamplerSetting& named(std::string_view name) {
  for (const SamplerSetting& setting : kSamplerSettings)
    if (setting.name == name) return setting;
  FAIL("no such setting");
  return kSamplerSettings[0];
}
}  // namespace

TEST_CASE("every setting takes its default and the bounds, and nothing beyond them") {
  for (const SamplerSetting& setting : kSamplerSettings) {
    CAPTURE(setting.name);
    CHECK(setting.takes(std::stod(setting.text({}))));
    CHECK(setting.takes(setting.least));
    CHECK(setting.takes(setting.most));
    CHECK(!setting.takes(setting.least - 1));
    CHECK(!setting.takes(setting.most + 1));
    CHECK(!setting.takes(NAN));
    CHECK(!setting.takes(INFINITY));
  }
}

TEST_CASE("a setting is set as the type it has and told as short as it can be") {
  SamplerSettings settings;
  named("temp").set(settings, 0.7);
  CHECK(settings.temperature == 0.7f);
  CHECK(named("temp").text(settings) == "0.7");
  named("top-k").set(settings, -1);
  CHECK(settings.top_k == -1);
  CHECK(!named("top-k").takes(1.5));
  CHECK(named("top-k").expected() == "a whole number, -1 to 1000000000");
}
