// Every family of the registry on its tiny models: against a float64 decoder, and against itself
// over batches, threads and interruptions.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "core/base/json.h"
#include "core/engine.h"
#include "core/models/left_out.h"
#include "core/models/weights.h"
#include "tests/engine/memory_model.h"
#include "tests/engine/naive_decoder.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr int kTokens = 53;  // past the tiny windows, chunks and trained lengths

std::vector<TokenId> some_tokens(int n = kTokens) {
  std::vector<TokenId> ids;
  for (int i = 0; i < n; ++i) ids.push_back((i * 37 + i * i * 11 + 5) % 96);
  return ids;
}

using Rows2 = std::vector<std::vector<float>>;

// test(architecture, its tiny config) for all.
template <class F>
void for_each_tiny(F&& test) {
  REQUIRE(architectures().size() >= 25);
  for (const Architecture* a : architectures()) {
    CHECK_FALSE(a->tiny.empty());
    for (const std::string_view config : a->tiny) {
      INFO(a->gguf_name << " " << config);
      test(*a, config);
    }
  }
}

struct Tiny {
  MemoryModel file;
  Model model;
};
Tiny load(const Architecture& a, std::string_view config, std::string_view format) {
  auto file = MemoryModel::create(a, config, format);
  REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
  auto model = Model::load(*file);
  REQUIRE_MESSAGE(model.has_value(), (model ? "" : model.error().message));
  return {std::move(*file), std::move(*model)};
}

Engine make_engine(const Model& model, ThreadPool& pool, EngineOptions options) {
  if (options.n_ctx == EngineOptions().n_ctx) options.n_ctx = 64;
  auto engine = Engine::create(model, pool, options);
  REQUIRE_MESSAGE(engine.has_value(), (engine ? "" : engine.error().message));
  return std::move(*engine);
}

Rows2 all_logits(Engine& engine, std::span<const TokenId> tokens) {
  Rows2 rows;
  const auto done = engine.prefill_all(tokens, 0, [&](int, std::span<const float> row) {
    rows.emplace_back(row.begin(), row.end());
    return true;
  });
  REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
  return rows;
}

std::vector<float> last_logits(Engine& engine, std::span<const TokenId> tokens) {
  const auto row = engine.prefill(tokens);
  REQUIRE_MESSAGE(row.has_value(), (row ? "" : row.error().message));
  return {row->begin(), row->end()};
}

double worst(const std::vector<float>& got, const std::vector<double>& want) {
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - want[i]));
  return worst;
}

}  // namespace

TEST_CASE("each family's logits are those of a float64 decoder") {
  for_each_tiny([](const Architecture& a, std::string_view config) {
    const Tiny tiny = load(a, config, "f32");
    ThreadPool pool(2);
    Engine engine = make_engine(tiny.model, pool, {.n_batch = 20, .exact = true});
    const Rows2 got = all_logits(engine, some_tokens());
    const auto want = naive_logits(tiny.model, some_tokens());
    double off = 0;
    for (int t = 0; t < kTokens; ++t) off = std::max(off, worst(got[t], want[t]));
    CHECK(off < 2e-3);
  });
}

TEST_CASE("a GGUF file of a config's keys says what the config says") {
  for_each_tiny([](const Architecture& a, std::string_view config) {
    const Tiny tiny = load(a, config, "f32");
    auto folder = a.read_hparams({tiny.file.metadata(), nullptr});
    REQUIRE(folder.has_value());
    Hparams gguf = tiny.model.hparams();
    folder->hf_rows = gguf.hf_rows;  // and with it the order of rows
    folder->grouped_qkv = gguf.grouped_qkv;
    gguf.rope.pairs = folder->rope.pairs;
    gguf.rope_swa.pairs = folder->rope_swa.pairs;
    CHECK(*folder == gguf);
  });
}

TEST_CASE("an output that is the embedding keeps its bias") {
  const Architecture* phi = find_architecture("phi2");
  REQUIRE(phi);
  Json config = *parse_json(phi->tiny[0]);
  config["tie_word_embeddings"] = true;
  const std::string text = dump_json(config);
  const Tiny tiny = load(*phi, text, "f32");
  CHECK(tiny.file.find("output.weight") == nullptr);
  CHECK(tiny.model.weights().output.bias != nullptr);
}

TEST_CASE("prompt logits are bit-equal for any batch and any number of threads") {
  for_each_tiny([](const Architecture& a, std::string_view config) {
    const Tiny tiny = load(a, config, "q8_0");
    Rows2 first;
    for (const auto& [n_batch, n_threads] : {std::pair{64, 1}, {1, 2}, {7, 3}, {32, 2}}) {
      ThreadPool pool(n_threads);
      Engine engine = make_engine(tiny.model, pool, {.n_batch = n_batch});
      const Rows2 got = all_logits(engine, some_tokens());
      if (first.empty()) first = got;
      CHECK(got == first);
    }
  });
}

TEST_CASE("tokens one at a time give the logits of the prompt, and going back changes nothing") {
  for_each_tiny([](const Architecture& a, std::string_view config) {
    const Tiny tiny = load(a, config, "f32");
    ThreadPool pool(2);
    Engine engine = make_engine(tiny.model, pool, {.n_batch = 16, .exact = true});
    const auto tokens = some_tokens();
    const auto want = naive_logits(tiny.model, tokens);
    REQUIRE(engine.prefill(std::span(tokens).first(30)).has_value());
    std::vector<float> last;
    for (int t = 30; t < kTokens; ++t) {
      const auto row = engine.decode(tokens[t]);
      REQUIRE(row.has_value());
      last.assign(row->begin(), row->end());
    }
    CHECK(worst(last, want.back()) < 2e-3);
    REQUIRE(engine.rewind(kTokens - 3).has_value());
    CHECK(engine.n_past() == kTokens - 3);
    for (int t = kTokens - 3; t < kTokens; ++t) {
      const auto row = engine.decode(tokens[t]);
      REQUIRE(row.has_value());
      if (t + 1 == kTokens) CHECK(std::vector<float>(row->begin(), row->end()) == last);
    }
  });
}

TEST_CASE("an interrupted prompt leaves the sequence as it was or none, and the engine goes on") {
  constexpr int kLong = 200, kBefore = 60;  // past the rings of windows, which hold 128
  const auto tokens = some_tokens(kLong), before = some_tokens(kBefore);
  for_each_tiny([&](const Architecture& a, std::string_view config) {
    const Tiny tiny = load(a, config, "q8_0");
    if (tiny.model.weights().position_embd.w.n_rows > 0) return;  // too short, and without windows
    ThreadPool pool(2);
    Engine engine = make_engine(tiny.model, pool, {.n_ctx = 256, .n_batch = 32});
    const std::vector<float> want = last_logits(engine, tokens);
    for (const int stop : {1, 2, 5, 12, 30}) {
      CAPTURE(stop);
      REQUIRE(engine.rewind(0).has_value());
      last_logits(engine, before);
      int asked = 0;
      const auto stopped = engine.prefill(std::span(tokens).subspan(kBefore),
                                          [&](int, int) { return ++asked < stop; });
      if (stopped) break;
      CHECK(stopped.error().kind == ErrorKind::kInterrupted);
      CHECK((engine.n_past() == kBefore || engine.n_past() == 0));
      CHECK(last_logits(engine, std::span(tokens).subspan(engine.n_past())) == want);
    }
  });
}

TEST_CASE("what a text shares with the cache is kept, and what follows is as after the whole") {
  const auto tokens = some_tokens(200);
  for_each_tiny([&](const Architecture& a, std::string_view config) {
    const Tiny tiny = load(a, config, "q8_0");
    if (tiny.model.weights().position_embd.w.n_rows > 0) return;  // too short, and without windows
    ThreadPool pool(2);
    Engine engine = make_engine(tiny.model, pool, {.n_ctx = 256, .n_batch = 32});
    for (const int n : {200, 190, 3}) {
      CAPTURE(n);
      auto other = some_tokens(n);
      other.push_back(95);
      REQUIRE(engine.rewind(0).has_value());
      const std::vector<float> want = last_logits(engine, other);
      REQUIRE(engine.rewind(0).has_value());
      last_logits(engine, tokens);
      const int kept = engine.keep_prefix(other);
      CHECK(engine.n_past() == kept);
      CHECK((kept == n || kept == 0));
      CHECK(last_logits(engine, std::span(other).subspan(kept)) == want);
      CHECK(engine.keep_prefix(std::span(other).first(1)) <= 1);
      CHECK(engine.keep_prefix({}) == 0);
    }
  });
}

TEST_CASE("what does not fit or is no number is an error") {
  const Architecture& a = *find_architecture("llama");
  Tiny tiny = load(a, a.tiny[0], "f32");
  ThreadPool pool(1);
  Engine engine = make_engine(tiny.model, pool, {});
  const auto long_prompt = engine.prefill(some_tokens(65));
  REQUIRE_FALSE(long_prompt.has_value());
  CHECK(long_prompt.error().kind == ErrorKind::kContextFull);
  const auto no_token = engine.prefill(std::vector<TokenId>{3, 96});
  REQUIRE_FALSE(no_token.has_value());
  CHECK(no_token.error().message == "token id 96 is outside the vocabulary of 96");
  tiny.file.poison("blk.1.ffn_down.weight");
  const auto damaged = engine.prefill(some_tokens(5));
  REQUIRE_FALSE(damaged.has_value());
  CHECK(damaged.error().kind == ErrorKind::kInvalidInput);
  const auto greedy = Engine::create(tiny.model, pool, {.n_ctx = 1 << 30});
  REQUIRE_FALSE(greedy.has_value());
  CHECK(greedy.error().kind == ErrorKind::kOutOfMemory);
}

TEST_CASE("a model of learned positions takes no longer context than it has positions") {
  const Architecture& a = *find_architecture("gpt2");
  const Tiny tiny = load(a, a.tiny[0], "f32");
  ThreadPool pool(1);
  CHECK(Engine::create(tiny.model, pool, {.n_ctx = 128}).has_value());
  const auto longer = Engine::create(tiny.model, pool, {.n_ctx = 129});
  REQUIRE_FALSE(longer.has_value());
  CHECK(longer.error().kind == ErrorKind::kContextFull);
}

TEST_CASE("files with longrope's divisors follow them, whether they name the scaling or not") {
  const Architecture& a = *find_architecture("qwen2");
  auto file = MemoryModel::create(a, a.tiny[0], "f32");
  REQUIRE(file.has_value());
  CHECK(a.read_hparams({file->metadata(), &*file})->rope.scaling == RopeScaling::kNone);
  const int n_rot = a.read_hparams({file->metadata(), &*file})->rope.n_rot;
  for (const char* name : {"rope_factors_long.weight", "rope_factors_short.weight"})
    file->add({.gguf_name = name, .hf_name = "", .shape = {1, {n_rot / 2}}}, "f32");
  CHECK(a.read_hparams({file->metadata(), &*file})->rope.scaling == RopeScaling::kLongrope);
}

TEST_CASE("a missing or misshapen tensor is named") {
  const Architecture& a = *find_architecture("llama");
  const auto with_layers = MemoryModel::create(a, a.tiny[0], "f32");
  REQUIRE(with_layers.has_value());
  Hparams h = *a.read_hparams({with_layers->metadata(), &*with_layers});
  h.n_layer = 3;
  auto missing = Weights::load(*with_layers, h, a.tensors(h));
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message == "tensor 'blk.2.attn_norm.weight' is missing");
  h.n_layer = 2;
  h.n_ff = 95;
  auto misshapen = Weights::load(*with_layers, h, a.tensors(h));
  REQUIRE_FALSE(misshapen.has_value());
  CHECK(misshapen.error().message ==
        "tensor 'blk.0.ffn_gate.weight': shape [96, 64], expected [95, 64]");
}

TEST_CASE("heads that the tensors do not hold are refused") {
  for_each_tiny([](const Architecture& a, std::string_view config) {
    const auto file = MemoryModel::create(a, config, "f32");
    REQUIRE(file.has_value());
    const Hparams right = *a.read_hparams({file->metadata(), &*file});
    if (right.mla.kv_lora > 0) return;
    Hparams fewer = right, wider = right;
    fewer.n_head_kv = right.n_head_kv > 1 ? 1 : right.n_head;
    wider.d_k = wider.d_v = 2 * right.d_k;
    for (const Hparams& h : {fewer, wider}) {
      const auto weights = Weights::load(*file, h, a.tensors(h));
      REQUIRE_FALSE(weights.has_value());
      CHECK(weights.error().message.find("expected [") != std::string::npos);
    }
  });
}

TEST_CASE("tensors that a family does not use are named") {
  const Architecture& a = *find_architecture("llama");
  auto file = MemoryModel::create(a, a.tiny[0], "f32");
  REQUIRE(file.has_value());
  file->add({.gguf_name = "blk.0.attn.masked_bias", .hf_name = "", .shape = {1, {4}}}, "f32");
  file->add({.gguf_name = "v.patch_embd.weight", .hf_name = "", .shape = {2, {4, 8}}}, "f32");
  const auto model = Model::load(*file);
  REQUIRE(model.has_value());
  const auto names = left_out_tensors(*file, *model);
  REQUIRE(names.size() == 1);
  CHECK(names[0] == "v.patch_embd.weight");
}
