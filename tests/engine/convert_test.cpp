// Folders read as the GGUF files that convert makes of them: llama.cpp's tensors, the original
// implementations' logits, the source's tokenizer.
#include "core/pipeline/convert.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/pipeline/convert_keys.h"
#include "core/pipeline/evaluate.h"
#include "core/pipeline/model_card.h"
#include "core/pipeline/stored_rows.h"
#include "core/pipeline/verify.h"
#include "core/text/folder_source.h"
#include "core/text/to_gguf.h"
#include "tests/engine/kit.h"
#include "tests/test_data.h"

using namespace nibble;
using namespace nibble::tests;
namespace fs = std::filesystem;

namespace {

std::vector<float> values(const TensorView& t) {
  std::vector<float> out(static_cast<size_t>(t.shape.n_elements()));
  decode_rows(t, 0, t.shape.n_rows(), out.data());
  return out;
}

// To the bit, but for factors that are computed, in llama.cpp's converter in f32.
bool same_values(const TensorView& a, const TensorView& b) {
  const auto close = [](float x, float y) { return std::abs(x - y) <= 1e-6f * std::abs(y); };
  const bool computed = a.name == "rope_freqs.weight";
  return computed ? std::ranges::equal(values(a), values(b), close) : values(a) == values(b);
}

// What differs from the file that llama.cpp's converter made; empty: nothing.
std::string difference(const WeightFile& got, const WeightFile& reference) {
  for (const TensorView& want : reference.tensors()) {
    const TensorView* t = got.find(want.name);
    if (!t) return std::string(want.name) + " is missing";
    if (t->shape != want.shape) return std::string(want.name) + " has another shape";
    if (!same_values(*t, want)) return std::string(want.name) + " has other values";
  }
  for (const TensorView& t : got.tensors())
    if (!reference.find(t.name)) return std::string(t.name) + " is not in llama.cpp's file";
  return "";
}

Result<double> largest_error(const WeightFile& file, const KitSequence& s) {
  NIBBLE_TRY(const auto model, Model::load(file));
  ThreadPool pool(2);
  NIBBLE_TRY(auto engine, Engine::create(model, pool, {.n_ctx = 128, .exact = true}));
  double most = 0;
  const auto compare = [&](int i, std::span<const float> row) {
    for (size_t c = 0; c < row.size(); ++c) {
      const float want = s.logits[static_cast<size_t>(i) * row.size() + c];
      most = std::max(most, std::abs(double{row[c]} - want));
    }
    return true;
  };
  NIBBLE_CHECK(eval_logits(engine, s.tokens, compare));
  return most;
}

std::vector<fs::path> folders(const char* kit) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(data_dir() / kit))
    if (fs::exists(entry.path() / "expected.json") &&
        !fs::exists(entry.path() / "adapter_config.json"))
      out.push_back(entry.path());
  return out;
}

std::string first_mismatch(const Tokenizer& a, const Tokenizer& b) {
  Verification v;
  verify_tokenizer(a, b, v);
  CHECK(v.n_texts > 60);
  return v.n_mismatches ? v.mismatches[0] : "";
}

}  // namespace

TEST_CASE("folders have the tensors that llama.cpp's converter writes, to the bit") {
  NIBBLE_NEED_DATA("reference-gguf");
  NIBBLE_NEED_DATA("reference-models");
  int n = 0;
  for (const auto& entry : fs::directory_iterator(data_dir() / "reference-gguf")) {
    if (entry.path().extension() != ".gguf") continue;
    INFO(entry.path().stem().string());
    const auto reference = open_weight_file(entry.path());
    const auto got = open_as_gguf(data_dir() / "reference-models" / entry.path().stem());
    REQUIRE(reference);
    REQUIRE_MESSAGE(got, got.error().message);
    CHECK(difference(*got->file, **reference) == "");
    CHECK(got->notes.tokenizer.fits());
    ++n;
  }
  CHECK(n == 28);
}

TEST_CASE("folders read as GGUF give the original implementations' logits") {
  for (const char* kit : {"reference-models", "source-models"}) {
    NIBBLE_NEED_DATA(kit);
    for (const auto& folder : folders(kit)) {
      INFO(folder.filename().string());
      const auto got = open_as_gguf(folder);
      REQUIRE_MESSAGE(got, got.error().message);
      const KitModel model = read_kit_model(folder);
      const auto error = largest_error(*got->file, model.sequences[1]);
      REQUIRE_MESSAGE(error, error.error().message);
      CHECK(*error <= model.max_abs);
    }
  }
}

TEST_CASE("tokenizers of folders come through GGUF unchanged") {
  for (const char* kit : {"reference-models", "source-models"}) {
    NIBBLE_NEED_DATA(kit);
    for (const auto& folder : folders(kit)) {
      INFO(folder.filename().string());
      const auto got = open_as_gguf(folder);
      REQUIRE_MESSAGE(got, got.error().message);
      const auto before = Tokenizer::from_folder(folder);
      const auto after = Tokenizer::from_gguf(got->file->metadata());
      REQUIRE(before);
      REQUIRE_MESSAGE(after, after.error().message);
      CHECK(first_mismatch(**before, **after) == "");
    }
  }
}

TEST_CASE("a tokenizer or a tensor that is another one is told") {
  NIBBLE_NEED_DATA("reference-models");
  const auto file = open_as_gguf(data_dir() / "reference-models" / "llama");
  REQUIRE(file);
  const auto a = Tokenizer::from_folder(data_dir() / "reference-models" / "llama");
  const auto b = Tokenizer::from_folder(data_dir() / "reference-models" / "gemma");
  REQUIRE(a);
  REQUIRE(b);
  CHECK(first_mismatch(**a, **b).starts_with("text 'Hello world': ["));
  Verification v;
  ThreadPool pool(2);
  const std::string names[] = {"output_norm.weight", "gone"};
  const std::string digests[] = {std::string(32, '0'), std::string(32, '0')};
  const auto on = [](uint64_t, uint64_t) { return true; };
  REQUIRE(verify_tensors(*file->file, names, digests, pool, on, v));
  REQUIRE(v.n_mismatches == 2);
  CHECK(v.mismatches[0].ends_with("written as 00000000000000000000000000000000"));
  CHECK(v.mismatches[1].starts_with("tensor 'gone': missing"));
}

TEST_CASE("llama.cpp's name for a tokenizer is told by what it does") {
  NIBBLE_NEED_DATA("hf-tokenizers");
  struct Row {
    const char* folder;
    const char* model;
    const char* pre;
  };
  for (const Row& row : {Row{"llama3_1", "gpt2", "llama-bpe"}, Row{"qwen3", "gpt2", "qwen2"},
                         Row{"gemma3", "llama", "default"}, Row{"llama2", "llama", "default"}}) {
    INFO(row.folder);
    fs::path used;
    const auto source = text::read_folder_source(data_dir() / "hf-tokenizers" / row.folder, used);
    REQUIRE_MESSAGE(source, source.error().message);
    const auto found = text::recognize(*source);
    REQUIRE(found);
    CHECK(found->model == row.model);
    CHECK(found->pre == row.pre);
    MetadataDraft keys;
    REQUIRE(text::add_tokenizer_keys(*source, 0, keys));
    const Metadata metadata = to_metadata(keys);
    const auto before = Tokenizer::from_folder(data_dir() / "hf-tokenizers" / row.folder);
    const auto after = Tokenizer::from_gguf(metadata);
    REQUIRE(before);
    REQUIRE_MESSAGE(after, after.error().message);
    if (std::string_view(row.model) == "llama") CHECK(first_mismatch(**before, **after) == "");
  }
}

TEST_CASE("rows of heads and groups go where GGUF has them") {
  Hparams h;
  TensorSpec spec;
  spec.fix = Fix::kRopeRows, h.d_k = 4;
  const RowOrder pairs(spec, h);
  for (const auto& [row, stored] : {std::pair{0, 0}, {1, 2}, {2, 1}, {3, 3}, {4, 4}, {5, 6}})
    CHECK(pairs.stored(row) == stored);
  // two groups of two queries, a key and a value, of two rows each
  spec.fix = Fix::kGroupedQkv, h.d_k = 2, h.n_head = 4, h.n_head_kv = 2;
  const RowOrder groups(spec, h);
  const int expected[] = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15};
  for (int row = 0; row < 16; ++row) CHECK(groups.stored(row) == expected[row]);
}

TEST_CASE("model cards give keys with a text or a list of texts") {
  const ModelCard card = parse_model_card(
      "---\nlicense: apache-2.0  # as published\nlicense_name: \"A: b\"\nlanguage:\n- en\n- de\n"
      "tags: [chat, 'small']\nbase_model: org/base\nmodel-index:\n- name: x\n  results: 1\n"
      "---\nlicense: mit\n");
  CHECK(card.at("license") == std::vector<std::string>{"apache-2.0"});
  CHECK(card.at("license_name") == std::vector<std::string>{"A: b"});
  CHECK(card.at("language") == std::vector<std::string>{"en", "de"});
  CHECK(card.at("tags") == std::vector<std::string>{"chat", "small"});
  CHECK(card.at("base_model") == std::vector<std::string>{"org/base"});
  CHECK(card.at("model-index").empty());
  CHECK(parse_model_card("# no header\nlicense: mit\n").empty());
  CHECK(parse_model_card("---\nlicense: mit\n").empty());
  CHECK(parse_model_card("").empty());
}
