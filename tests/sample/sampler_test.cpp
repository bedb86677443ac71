#include "core/sample/sampler.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

using namespace nibble;

namespace {

std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> out;
  for (const double p : probabilities) out.push_back(static_cast<float>(std::log(p)));
  return out;
}

// Everything off: what is left is the draw itself.
SamplerSettings plain(uint64_t seed = 1) {
  return {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = seed};
}

std::set<int> drawn(const SamplerSettings& settings, const std::vector<float>& logits) {
  Sampler sampler(settings, static_cast<int>(logits.size()));
  std::set<int> ids;
  for (int i = 0; i < 2000; ++i) ids.insert(sampler.sample(logits));
  return ids;
}

}  // namespace

TEST_CASE("greedy takes the likeliest token, of equals the first") {
  Sampler sampler({.temperature = 0}, 5);
  CHECK(sampler.sample(std::vector<float>{1, 3, 2, 3, 0}) == 1);
  CHECK(sampler.sample(std::vector<float>{-1, -1, -1, -1, -1}) == 0);
}

TEST_CASE("tokens are drawn as often as they are likely") {
  const std::vector<double> p{0.5, 0.3, 0.15, 0.05};
  Sampler sampler(plain(), 4);
  std::map<int, int> n;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) ++n[sampler.sample(logits_of(p))];
  for (int i = 0; i < 4; ++i)  // five standard deviations
    CHECK(std::abs(n[i] - kDraws * p[i]) < 5 * std::sqrt(kDraws * p[i] * (1 - p[i])));
}

TEST_CASE("top-k, top-p and min-p leave out what they say") {
  const auto logits = logits_of({0.05, 0.5, 0.15, 0.3});
  auto settings = plain();
  CHECK(drawn(settings, logits) == std::set{0, 1, 2, 3});
  settings.top_k = 2;
  CHECK(drawn(settings, logits) == std::set{1, 3});
  settings = plain();
  settings.top_p = 0.7f;  // 0.5 does not reach it, 0.8 does
  CHECK(drawn(settings, logits) == std::set{1, 3});
  settings.top_p = 0;
  CHECK(drawn(settings, logits) == std::set{1});
  settings = plain();
  settings.min_p = 0.25f;  // of 0.5
  CHECK(drawn(settings, logits) == std::set{1, 2, 3});
}

TEST_CASE("a low temperature sharpens") {
  const auto logits = logits_of({0.6, 0.4});
  auto settings = plain();
  settings.temperature = 0.01f;
  CHECK(drawn(settings, logits) == std::set{0});
}

TEST_CASE("penalties fall on tokens seen lately, and on no others") {
  const std::vector<float> logits{2, 1.9f, -1};
  SamplerSettings settings{.temperature = 0, .repeat_penalty = 1.5f, .repeat_last_n = 2};
  Sampler sampler(settings, 3);
  sampler.accept(0);
  CHECK(sampler.sample(logits) == 1);  // 2 / 1.5 < 1.9
  sampler.accept(1);
  CHECK(sampler.sample(logits) == 0);  // 1.33 > 1.27
  sampler.accept(2);
  sampler.accept(2);
  CHECK(sampler.sample(logits) == 0);  // 0 and 1 are forgotten
  Sampler frequency({.temperature = 0, .frequency_penalty = 0.04f, .repeat_last_n = -1}, 3);
  for (int i = 0; i < 3; ++i) frequency.accept(0);
  CHECK(frequency.sample(logits) == 1);  // 2 - 3 * 0.04 < 1.9
  Sampler presence({.temperature = 0, .presence_penalty = 0.04f}, 3);
  for (int i = 0; i < 3; ++i) presence.accept(0);
  CHECK(presence.sample(logits) == 0);  // 2 - 0.04 > 1.9
}

TEST_CASE("a negative logit is penalized downwards too") {
  Sampler sampler({.temperature = 0, .repeat_penalty = 2}, 2);
  sampler.accept(0);
  CHECK(sampler.sample(std::vector<float>{-1, -1.5f}) == 1);
}

TEST_CASE("banned tokens are never drawn") {
  Sampler greedy({.temperature = 0}, 3);
  greedy.ban(std::vector<int32_t>{2, 0});
  CHECK(greedy.sample(std::vector<float>{5, 1, 9}) == 1);
}

TEST_CASE("the seed decides the draws, on every machine alike") {
  const std::vector<float> logits(100, 0.0f);
  const auto draws = [&](uint64_t seed) {
    Sampler sampler(plain(seed), 100);
    std::vector<int> out;
    for (int i = 0; i < 5; ++i) out.push_back(sampler.sample(logits));
    return out;
  };
  CHECK(draws(7) == draws(7));
  CHECK(draws(7) != draws(8));
}
