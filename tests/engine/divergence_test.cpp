// Divergence of two tiny models against sums made here in double from all their logits.
#include "core/pipeline/divergence.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/models/architecture.h"
#include "tests/engine/memory_model.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

// A model and what it stands on, in one place.
struct Running {
  std::unique_ptr<MemoryModel> file;
  std::unique_ptr<Model> model;
  std::unique_ptr<Engine> engine;

  Running(const char* format, ThreadPool& pool) {
    const Architecture* llama = find_architecture("llama");
    auto made = MemoryModel::create(*llama, llama->tiny[0], format);
    REQUIRE(made);
    file = std::make_unique<MemoryModel>(std::move(*made));
    auto loaded = Model::load(*file);
    REQUIRE(loaded);
    model = std::make_unique<Model>(std::move(*loaded));
    auto created = Engine::create(*model, pool, {.n_ctx = 32, .n_batch = 8});
    REQUIRE(created);
    engine = std::make_unique<Engine>(std::move(*created));
  }
};

EvalWindows some_windows() {
  EvalWindows windows{.n = 24, .n_windows = 3, .tokens = {}};
  for (int i = 0; i < 24 * 3; ++i) windows.tokens.push_back((i * i + 7 * i) % 96);
  return windows;
}

std::vector<double> softmax(std::span<const float> logits) {
  std::vector<double> p;
  double sum = 0;
  for (const float x : logits) sum += p.emplace_back(std::exp(double{x}));
  for (double& v : p) v /= sum;
  return p;
}

// The probabilities at the scored positions, one after the other.
std::vector<std::vector<double>> predictions(Engine& engine, const EvalWindows& windows) {
  std::vector<std::vector<double>> all;
  const auto keep = [&](const Prediction& p) {
    all.push_back(softmax(p.logits));
    return true;
  };
  REQUIRE(eval_windows(engine, windows, keep, [] { return true; }));
  return all;
}

}  // namespace

TEST_CASE("divergence is what the logits of both models say") {
  ThreadPool pool(2);
  Running model("q4_0", pool), reference("f32", pool);
  const EvalWindows windows = some_windows();
  int n_asked = 0;
  const auto progress = [&](int, int, double) { return ++n_asked > 0; };
  const auto d = eval_divergence(*model.engine, *reference.engine, windows, pool, progress);
  REQUIRE(d);
  const auto q = predictions(*model.engine, windows), p = predictions(*reference.engine, windows);
  double sum = 0, most = 0;
  int n_same = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    double kl = 0;
    for (size_t j = 0; j < p[i].size(); ++j) kl += p[i][j] * std::log(p[i][j] / q[i][j]);
    sum += kl;
    most = std::max(most, kl);
    n_same += std::ranges::max_element(p[i]) - p[i].begin() ==
              std::ranges::max_element(q[i]) - q[i].begin();
  }
  const auto n = static_cast<double>(p.size());
  CHECK(p.size() == 33);
  CHECK(d->kl_mean > 0);
  CHECK(d->kl_mean == doctest::Approx(sum / n).epsilon(1e-4));
  CHECK(d->kl_max == doctest::Approx(most).epsilon(1e-4));
  CHECK(d->top1 == doctest::Approx(n_same / n));
  CHECK(n_asked > 3);
  const auto alone = eval_perplexity(*model.engine, windows, progress);
  CHECK(d->model.perplexity == doctest::Approx(alone->perplexity).epsilon(1e-9));
  CHECK(d->model.n_scored == 33);
}

TEST_CASE("divergence of a model from itself is zero, and an interrupt ends it") {
  ThreadPool pool(1);
  Running model("q4_0", pool), reference("q4_0", pool);
  const auto windows = some_windows();
  const auto d = eval_divergence(*model.engine, *reference.engine, windows, pool,
                                 [](int, int, double) { return true; });
  REQUIRE(d);
  CHECK(d->kl_max == 0);
  CHECK(d->top1 == 1);
  const auto stopped = eval_divergence(*model.engine, *reference.engine, windows, pool,
                                       [](int done, int, double) { return done < 1; });
  CHECK(stopped.error().kind == ErrorKind::kInterrupted);
}

TEST_CASE("divergence of two distributions known by hand") {
  const std::vector<float> p = {std::log(0.5f), std::log(0.25f), std::log(0.25f)};
  const std::vector<float> q = {7, 7, 7};
  CHECK(kl_divergence(p, q) ==
        doctest::Approx(0.5 * std::log(1.5) + 0.5 * std::log(0.75)).epsilon(1e-6));
}
