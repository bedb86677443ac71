// Families against the original implementations: logits and greedy continuations of the kits' tiny
// models.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/pipeline/evaluate.h"
#include "tests/engine/kit.h"
#include "tests/test_data.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

struct Deviation {
  double max_abs = 0, min_cosine = 1;
};

void compare_row(std::span<const float> got, const float* want, Deviation& d) {
  double dot = 0, a = 0, b = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    d.max_abs = std::max(d.max_abs, std::abs(double{got[i]} - want[i]));
    dot += double{got[i]} * want[i];
    a += double{got[i]} * got[i];
    b += double{want[i]} * want[i];
  }
  d.min_cosine = std::min(d.min_cosine, dot / std::sqrt(std::max(a * b, 1e-30)));
}

Result<void> compare(Engine& engine, const KitModel& kit, double max_abs) {
  Deviation d;
  for (const KitSequence& s : kit.sequences) {
    const auto compare_token = [&](int i, std::span<const float> row) {
      compare_row(row, s.logits.data() + static_cast<size_t>(i) * row.size(), d);
      return true;
    };
    NIBBLE_CHECK(eval_logits(engine, s.tokens, compare_token));
  }
  if (!(d.max_abs <= max_abs && d.min_cosine >= kit.min_cosine))
    return invalid_input("off by {}, cosine {}", d.max_abs, d.min_cosine);
  NIBBLE_TRY(const auto greedy,
             eval_greedy(engine, kit.prompt, static_cast<int>(kit.greedy.size())));
  if (greedy != kit.greedy) return invalid_input("the greedy continuation differs");
  return {};
}

// least_max_abs: what llama.cpp's converter rounded. "" when all is as expected.
std::string fault_of(const std::filesystem::path& path, const KitModel& kit, double least_max_abs) {
  const auto check = [&]() -> Result<void> {
    NIBBLE_TRY(const auto file, open_weight_file(path));
    NIBBLE_TRY(const auto model, Model::load(*file));
    if (kit.sequences[0].logits.size() != static_cast<size_t>(model.n_vocab()))
      return invalid_input("a vocabulary of {}", model.n_vocab());
    ThreadPool pool(2);
    NIBBLE_TRY(auto engine,
               Engine::create(model, pool, {.n_ctx = 128, .n_batch = 40, .exact = true}));
    return compare(engine, kit, std::max(least_max_abs, kit.max_abs));
  };
  const auto done = check();
  return done ? "" : path.filename().string() + ": " + done.error().message;
}

}  // namespace

TEST_CASE("GGUF files of llama.cpp's converter give the original implementations' logits") {
  NIBBLE_NEED_DATA("reference-gguf");
  NIBBLE_NEED_DATA("reference-models");
  for (const auto& entry : std::filesystem::directory_iterator(data_dir() / "reference-gguf")) {
    const auto folder = data_dir() / "reference-models" / entry.path().stem();
    if (entry.path().extension() != ".gguf") continue;
    CHECK(fault_of(entry.path(), read_kit_model(folder), 0.02) == "");
  }
}

// Folders of one kit that have weights of their own (an adapter has not).
void check_folders(const char* kit) {
  for (const auto& entry : std::filesystem::directory_iterator(data_dir() / kit)) {
    const auto& folder = entry.path();
    const bool adapter = std::filesystem::exists(folder / "adapter_config.json");
    if (!std::filesystem::exists(folder / "expected.json") || adapter) continue;
    CHECK(fault_of(folder, read_kit_model(folder), 0) == "");
  }
}

TEST_CASE("Hugging Face folders give the original implementations' logits") {
  NIBBLE_NEED_DATA("reference-models");
  check_folders("reference-models");
}

TEST_CASE(
    "folders of quantized, joined and mixed weights give the original implementations' logits") {
  NIBBLE_NEED_DATA("source-models");
  check_folders("source-models");
}
