// Perplexity of the two real models against llama.cpp's, where they are on this machine
// (NIBBLE_REAL_MODELS).
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/pipeline/evaluate.h"
#include "tests/test_data.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

Result<double> perplexity_of(const std::filesystem::path& path, const std::string& text) {
  NIBBLE_TRY(const auto file, open_weight_file(path));
  NIBBLE_TRY(const auto model, Model::load(*file));
  NIBBLE_TRY(const auto tokenizer, Tokenizer::from_gguf(file->metadata()));
  ThreadPool pool(2);
  NIBBLE_TRY(auto engine, Engine::create(model, pool, {.n_ctx = 512, .n_batch = 512}));
  NIBBLE_TRY(const auto windows, make_windows(*tokenizer, text, 512));
  NIBBLE_TRY(const auto out,
             eval_perplexity(engine, windows, [](int, int, double) { return true; }));
  return out.perplexity;
}

void check_perplexity(const char* name, double expected) {
  const char* folder = std::getenv("NIBBLE_REAL_MODELS");
  if (!folder || !std::filesystem::exists(std::filesystem::path(folder) / name)) return;
  std::ifstream in(data_dir() / "text/eval-en.txt", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto got = perplexity_of(std::filesystem::path(folder) / name, text);
  REQUIRE_MESSAGE(got.has_value(), (got ? "" : got.error().message));
  CHECK(*got == doctest::Approx(expected).epsilon(0.01));
  MESSAGE(name, ": ", *got);
}

}  // namespace

TEST_CASE("SmolLM2's perplexity is llama.cpp's") {
  NIBBLE_NEED_DATA("text/eval-en.txt");
  check_perplexity("SmolLM2-135M-Instruct.Q4_1.gguf", 23.7946);
}

TEST_CASE("Gemma 3's perplexity is llama.cpp's") {
  NIBBLE_NEED_DATA("text/eval-en.txt");
  check_perplexity("gemma-3-270m.Q4_K_M.gguf", 25.1739);
}
