// Importance collected from tiny models: against sums made here, and complete for each family.
#include "core/pipeline/calibrate.h"

#include <doctest/doctest.h>

#include <numeric>

#include "core/models/architecture.h"
#include "core/models/weights.h"
#include "core/ops/norm.h"
#include "tests/engine/memory_model.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr int kWindow = 12;

EvalWindows some_windows(int n_vocab) {
  EvalWindows windows{.n = kWindow, .n_windows = 2, .tokens = {}};
  for (int i = 0; i < 2 * kWindow; ++i) windows.tokens.push_back((i * 5 + 1) % n_vocab);
  return windows;
}

Imatrix collect(const Model& model, int n_threads) {
  ThreadPool pool(n_threads);
  const auto found = calibrate(model, pool, some_windows(model.n_vocab()), "text",
                               [](int, int, double) { return true; });
  REQUIRE_MESSAGE(found, (found ? "" : found.error().message));
  CHECK(found->perplexity.n_scored == 2 * (kWindow / 2 - 1));
  return found->imatrix;
}

}  // namespace

TEST_CASE("an expert that was never used weighs as the mean of those that were") {
  Imatrix imatrix;
  imatrix.entries["used"] = {{8, 16, 0, 0, 60, 20}, {4, 0, 20}};
  imatrix.entries["unused"] = {{0, 0, 0, 0}, {0, 0}};
  CHECK(*imatrix.importance("used", 3, 2) == std::vector<float>{2, 4, 2.5f, 2.5f, 3, 1});
  CHECK(*imatrix.importance("unused", 2, 2) == std::vector<float>{1, 1, 1, 1});
  CHECK(imatrix.importance("other", 2, 2)->empty());
  CHECK_FALSE(imatrix.importance("used", 2, 2).has_value());
}

TEST_CASE("calibration sums the squares of what a matrix is multiplied with") {
  const Architecture* llama = find_architecture("llama");
  auto file = MemoryModel::create(*llama, llama->tiny[0], "f32");
  REQUIRE(file);
  const auto model = Model::load(*file);
  REQUIRE(model);
  const Imatrix imatrix = collect(*model, 2);
  const auto& entry = imatrix.entries.at("blk.0.attn_q.weight");
  const Matrix& embedding = model->weights().token_embd.w;
  const auto n = static_cast<size_t>(embedding.n_cols);
  std::vector<double> expected(n);
  for (const TokenId id : some_windows(model->n_vocab()).tokens) {
    std::vector<float> row(n);
    embedding.decode(id, row.data());
    rms_norm(row.data(), model->weights().layers[0].attn_norm.weight, embedding.n_cols,
             model->hparams().eps, row.data());
    for (size_t c = 0; c < n; ++c) expected[c] += double{row[c]} * row[c];
  }
  CHECK(entry.counts == std::vector<float>{2 * kWindow});
  REQUIRE(entry.sums.size() == n);
  for (size_t c = 0; c < n; ++c) CHECK(entry.sums[c] == doctest::Approx(expected[c]).epsilon(1e-5));
  CHECK(imatrix.n_chunks == 2);
  CHECK(imatrix.chunk_tokens == kWindow);
}

TEST_CASE("an embedding that is the output too has the importance of the output's columns") {
  int n_tied = 0;
  for (const Architecture* a : architectures())
    for (const auto config : a->tiny) {
      auto file = MemoryModel::create(*a, config, "f32");
      REQUIRE(file);
      const auto model = Model::load(*file);
      REQUIRE(model);
      const Weights& w = model->weights();
      if (w.output.w.data != w.token_embd.w.data) continue;
      ++n_tied;
      CAPTURE(a->gguf_name);
      const Imatrix imatrix = collect(*model, 1);
      CHECK_FALSE(imatrix.entries.contains("output.weight"));
      REQUIRE(imatrix.entries.contains("token_embd.weight"));
      CHECK(imatrix.entries.at("token_embd.weight").counts == std::vector<float>{2 * kWindow});
    }
  CHECK(n_tied > 0);
}

TEST_CASE("calibration reaches each matrix of each family, whatever the number of threads") {
  for (const Architecture* a : architectures())
    for (const auto config : a->tiny) {
      CAPTURE(a->gguf_name);
      CAPTURE(config);
      auto file = MemoryModel::create(*a, config, "q8_0");
      REQUIRE(file);
      const auto model = Model::load(*file);
      REQUIRE(model);
      const Imatrix imatrix = collect(*model, 1), same = collect(*model, 3);
      model->weights().visit([&](std::string_view tensor, size_t, size_t n, const Matrix& w) {
        const auto found = imatrix.entries.find(tensor);
        const bool table = tensor == "token_embd.weight" || tensor == "position_embd.weight";
        const bool tied =
            &w == &model->weights().output.w && w.data == model->weights().token_embd.w.data;
        if (table || tied) return;
        CAPTURE(tensor);
        REQUIRE(found != imatrix.entries.end());
        CHECK(found->second.sums.size() == n * static_cast<size_t>(w.n_cols));
        CHECK(found->second.sums == same.entries.at(std::string(tensor)).sums);
        if (tensor.ends_with("_exps.weight")) {
          const auto& counts = found->second.counts;
          CHECK(std::accumulate(counts.begin(), counts.end(), 0.0f) ==
                2 * kWindow * model->hparams().moe.n_expert_used);
        }
      });
    }
}
