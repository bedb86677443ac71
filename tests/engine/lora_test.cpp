// Adapters on models: against a merge in float64, over all families and both layouts.
#include "core/models/lora.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/models/merged_file.h"
#include "core/pipeline/evaluate.h"
#include "tests/adapter_files.h"
#include "tests/engine/kit.h"
#include "tests/engine/memory_model.h"
#include "tests/engine/naive_decoder.h"
#include "tests/temporary_folder.h"
#include "tests/test_data.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr float kAlpha = 5;
constexpr int64_t kRank = 3;
constexpr float kScale = kAlpha / kRank;

using Rows2 = std::vector<std::vector<float>>;

std::vector<TokenId> some_tokens(int n, int n_vocab) {
  std::vector<TokenId> ids;
  for (int i = 0; i < n; ++i) ids.push_back((i * 37 + i * i * 11 + 5) % n_vocab);
  return ids;
}

Result<Rows2> logits_of(const WeightFile& file, std::span<const LoraInput> adapters,
                        std::span<const TokenId> tokens, EngineOptions options) {
  NIBBLE_TRY(const Model model, Model::load(file, adapters));
  ThreadPool pool(2);
  options.n_ctx = 64;
  NIBBLE_TRY(Engine engine, Engine::create(model, pool, options));
  Rows2 rows;
  NIBBLE_CHECK(eval_logits(engine, tokens, [&](int, std::span<const float> row) {
    rows.emplace_back(row.begin(), row.end());
    return true;
  }));
  return rows;
}

template <class T>
double worst(const Rows2& got, const std::vector<std::vector<T>>& want) {
  double most = got.size() == want.size() ? 0 : INFINITY;
  for (size_t t = 0; t < got.size() && t < want.size(); ++t)
    for (size_t i = 0; i < got[t].size(); ++i)
      most = std::max(most, std::abs(double{got[t][i]} - want[t][i]));
  return most;
}

// Matrices of a file that an adapter may change: all but norms and embeddings.
std::vector<AdapterPair> pairs_for(const WeightFile& file) {
  std::vector<AdapterPair> pairs;
  for (const TensorView& t : file.tensors()) {
    const Shape& s = t.shape;
    const bool other = t.name.find("norm") != t.name.npos || t.name.find("_embd") != t.name.npos ||
                       t.name.ends_with(".bias");
    if (s.n_dims < 2 || other) continue;
    pairs.push_back(random_pair(std::string(t.name), kRank, s.dim[s.n_dims - 2], s.n_cols(),
                                s.n_dims == 3 ? s.dim[0] : 1));
  }
  return pairs;
}

// W + scale * B A, in float64.
void merge(MemoryModel& model, const AdapterPair& p) {
  model.change(p.name, [&](int64_t i, int64_t row, int64_t col, double w) {
    double sum = 0;
    for (int64_t r = 0; r < p.rank; ++r)
      sum += double{p.b[static_cast<size_t>((i * p.n_rows + row) * p.rank + r)]} *
             p.a[static_cast<size_t>((i * p.rank + r) * p.n_cols + col)];
    return w + double{kScale} * sum;
  });
}

struct Opened {
  TemporaryFolder folder;
  std::vector<LoraFile> files;

  void gguf(const std::vector<AdapterPair>& pairs, std::string_view family = "llama") {
    write_gguf_adapter(folder.path() / "adapter.gguf", pairs, kAlpha, family);
    open(folder.path() / "adapter.gguf");
  }
  void peft(const std::vector<AdapterPair>& pairs) {
    write_peft_adapter(folder.path() / "peft", pairs, kRank, kAlpha);
    open(folder.path() / "peft");
  }
  void open(const std::filesystem::path& path) {
    auto file = LoraFile::open(path);
    REQUIRE_MESSAGE(file, (file ? "" : file.error().message));
    files.push_back(std::move(*file));
  }
};

MemoryModel make_model(const Architecture& a, std::string_view config, std::string_view format) {
  auto file = MemoryModel::create(a, config, format);
  REQUIRE_MESSAGE(file, (file ? "" : file.error().message));
  return std::move(*file);
}

}  // namespace

TEST_CASE(
    "each family's logits with an adapter are those of a merge in float64, beside and merged") {
  const auto tokens = some_tokens(40, 96);
  for (const Architecture* a : architectures()) {
    for (const std::string_view config : a->tiny) {
      INFO(a->gguf_name << " " << config);
      MemoryModel base = make_model(*a, config, "f32"), merged = make_model(*a, config, "f32");
      const auto pairs = pairs_for(base);
      for (const AdapterPair& pair : pairs) merge(merged, pair);
      const auto want = naive_logits(*Model::load(merged), tokens);
      Opened adapter;
      adapter.gguf(pairs, a->gguf_name);
      const LoraInput input{&adapter.files[0]};
      const auto got =
          logits_of(base, std::span(&input, 1), tokens, {.n_batch = 16, .exact = true});
      REQUIRE_MESSAGE(got, (got ? "" : got.error().message));
      CHECK(worst(*got, want) < 3e-3);
      const auto in_file =
          MergedFile::create(std::make_unique<MemoryModel>(std::move(base)), std::span(&input, 1));
      REQUIRE_MESSAGE(in_file, (in_file ? "" : in_file.error().message));
      const auto same = logits_of(**in_file, {}, tokens, {.n_batch = 16, .exact = true});
      REQUIRE_MESSAGE(same, (same ? "" : same.error().message));
      CHECK(worst(*same, want) < 3e-3);
    }
  }
}

TEST_CASE("adapters add up, half of one twice is the whole, and a scale of zero changes nothing") {
  const Architecture& a = *find_architecture("llama");
  MemoryModel base = make_model(a, a.tiny[0], "q8_0");
  const auto tokens = some_tokens(20, 96);
  Opened adapter;
  adapter.gguf(pairs_for(base));
  const auto with = [&](std::vector<float> scales) {
    std::vector<LoraInput> inputs;
    for (const float scale : scales) inputs.push_back({&adapter.files[0], scale});
    const auto rows = logits_of(base, inputs, tokens, {.n_batch = 8});
    REQUIRE(rows);
    return *rows;
  };
  CHECK(worst(with({1}), with({0.5f, 0.5f})) < 1e-2);
  CHECK(worst(with({1}), with({})) > 1);
  CHECK(worst(with({0}), with({})) == 0);
}

TEST_CASE("prompt logits with an adapter are bit-equal for any batch and any number of threads") {
  const Architecture& a = *find_architecture("qwen2moe");
  MemoryModel base = make_model(a, a.tiny[0], "q8_0");
  const auto tokens = some_tokens(40, 96);
  Opened adapter;
  adapter.gguf(pairs_for(base), "qwen2moe");
  const LoraInput input{&adapter.files[0]};
  Rows2 first;
  for (const int n_batch : {64, 1, 7}) {
    const auto got = logits_of(base, std::span(&input, 1), tokens, {.n_batch = n_batch});
    REQUIRE(got);
    if (first.empty()) first = *got;
    CHECK(*got == first);
  }
}

TEST_CASE("an adapter for another model is refused with names and sizes") {
  const Architecture& a = *find_architecture("llama");
  const MemoryModel base = make_model(a, a.tiny[0], "f32");
  const auto fault = [&](AdapterPair pair, bool peft) {
    Opened adapter;
    peft ? adapter.peft({std::move(pair)}) : adapter.gguf({std::move(pair)});
    const LoraInput input{&adapter.files[0]};
    const auto model = Model::load(base, std::span(&input, 1));
    REQUIRE_FALSE(model);
    CHECK(model.error().kind == ErrorKind::kInvalidInput);
    return model.error().message.substr(model.error().message.find("tensor "));
  };
  CHECK(fault(random_pair("model.layers.0.self_attn.q_proj", kRank, 128, 64), true) ==
        "tensor 'model.layers.0.self_attn.q_proj.weight': the pair changes a matrix of 128 rows "
        "and 64 columns, the base's has 64 and 64: was the adapter made for another model?");
  const std::string missing =
      ": the base, a llama of 2 layers, has no matrix of that name that an adapter can change; was "
      "the adapter made for another model?";
  CHECK(fault(random_pair("model.layers.2.mlp.up_proj", kRank, 96, 64), true) ==
        "tensor 'model.layers.2.mlp.up_proj.weight'" + missing);
  CHECK(fault(random_pair("token_embd.weight", kRank, 96, 64), false) ==
        "tensor 'token_embd.weight'" + missing);
}

TEST_CASE("a GGUF adapter for another family is refused") {
  const Architecture& a = *find_architecture("qwen3");
  const MemoryModel base = make_model(a, a.tiny[0], "f32");
  Opened adapter;
  adapter.gguf({random_pair("blk.0.ffn_up.weight", kRank, 96, 64)});
  const LoraInput input{&adapter.files[0]};
  const auto model = Model::load(base, std::span(&input, 1));
  REQUIRE_FALSE(model);
  CHECK(model.error().message.ends_with(
      "the adapter is for a model of the family 'llama', the base is a qwen3"));
}

TEST_CASE("an adapter of a matrix that the base does not store is refused") {
  const Architecture& a = *find_architecture("qwen3");
  const MemoryModel tied = make_model(a, a.tiny[0], "f32");
  REQUIRE(tied.find("output.weight") == nullptr);
  Opened adapter;
  adapter.peft({random_pair("lm_head", kRank, 96, 64)});
  const LoraInput input{&adapter.files[0]};
  CHECK_FALSE(Model::load(tied, std::span(&input, 1)));
}

TEST_CASE("the kit's PEFT adapter gives the original's logits, on the folder and on GGUF") {
  NIBBLE_NEED_DATA("source-models/lora_llama");
  NIBBLE_NEED_DATA("reference-gguf");
  const KitModel kit = read_kit_model(data_dir() / "source-models/lora_llama");
  Opened adapter;
  adapter.open(data_dir() / "source-models/lora_llama");
  const LoraInput input{&adapter.files[0]};
  for (const char* name : {"reference-models/llama", "reference-gguf/llama.gguf"}) {
    const auto base = open_weight_file(data_dir() / name);
    REQUIRE(base);
    const KitSequence& s = kit.sequences[1];
    const auto got = logits_of(**base, std::span(&input, 1), s.tokens, {.exact = true});
    REQUIRE(got);
    for (size_t t = 0; t < got->size(); ++t)
      for (size_t i = 0; i < (*got)[t].size(); ++i)
        REQUIRE(std::abs((*got)[t][i] - s.logits[t * (*got)[t].size() + i]) < kit.max_abs);
  }
}

// PEFT's names and sizes for all modules of a folder that are matrices.
std::vector<AdapterPair> peft_pairs(const WeightFile& folder, bool columns) {
  std::vector<AdapterPair> pairs;
  for (const TensorView& t : folder.tensors()) {
    const bool layer = t.name.find("layers.") != t.name.npos || t.name.find(".h.") != t.name.npos;
    if (!layer || t.shape.n_dims != 2 || !t.name.ends_with(".weight")) continue;
    if (t.name.find("norm") != t.name.npos || t.name.find("input_linear") != t.name.npos) continue;
    const int64_t n_rows = t.shape.dim[columns ? 1 : 0], n_cols = t.shape.dim[columns ? 0 : 1];
    pairs.push_back(
        random_pair(std::string(t.name.substr(0, t.name.size() - 7)), kRank, n_rows, n_cols));
  }
  return pairs;
}

TEST_CASE("a PEFT adapter does the same to a folder and to the GGUF file made of it") {
  NIBBLE_NEED_DATA("reference-gguf");
  NIBBLE_NEED_DATA("reference-models");
  for (const auto& entry : std::filesystem::directory_iterator(data_dir() / "reference-gguf")) {
    if (entry.path().extension() != ".gguf") continue;
    const std::string name = entry.path().stem().string();
    INFO(name);
    const auto folder = open_weight_file(data_dir() / "reference-models" / name);
    const auto gguf = open_weight_file(entry.path());
    REQUIRE(folder);
    REQUIRE(gguf);
    Opened adapter;
    adapter.peft(peft_pairs(**folder, name == "gpt2"));
    const LoraInput input{&adapter.files[0]};
    const auto tokens = some_tokens(12, 96);
    const auto a = logits_of(**folder, std::span(&input, 1), tokens, {.exact = true});
    const auto b = logits_of(**gguf, std::span(&input, 1), tokens, {.exact = true});
    REQUIRE_MESSAGE(a, (a ? "" : a.error().message));
    REQUIRE_MESSAGE(b, (b ? "" : b.error().message));
    CHECK(worst(*a, *b) < 0.02);
  }
}
