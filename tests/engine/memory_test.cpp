// What the engine's memory is: the bytes of the cache for published shapes, and nothing allocated
// per token.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "core/base/json.h"
#include "core/engine.h"
#include "core/models/decoder.h"
#include "core/models/folder_config.h"
#include "core/models/weights.h"
#include "core/models/work.h"
#include "tests/engine/memory_model.h"

namespace {
std::atomic<int> n_allocations = 0;
}

void* operator new(std::size_t n) {
  ++n_allocations;
  if (void* p = std::malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
// Not inline, where g++ would see free() given what new returned.
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

using namespace nibble;
using namespace nibble::tests;

namespace {

// Bytes of a cache for n tokens of a model with this config.json.
uint64_t kv_bytes(std::string_view config, int n_ctx, KvTypes types = {}) {
  constexpr int n_batch = 512;
  const auto json = parse_json(config);
  REQUIRE(json.has_value());
  const auto folder = read_folder_config(*json);
  REQUIRE_MESSAGE(folder.has_value(), (folder ? "" : folder.error().message));
  const auto h = folder->architecture->read_hparams({folder->metadata, nullptr});
  REQUIRE_MESSAGE(h.has_value(), (h ? "" : h.error().message));
  const auto shapes = kv_shapes(*folder->architecture, *h);
  const auto cache = KvCache::create(shapes, types, n_ctx, n_batch);
  REQUIRE(cache.has_value());
  CHECK(cache->bytes_reserved() <= KvCache::bytes_needed(shapes, types, n_ctx, n_batch));
  return cache->bytes_used(n_ctx);
}

}  // namespace

TEST_CASE("generating a token allocates nothing") {
  for (const Architecture* a : architectures()) {
    CAPTURE(a->gguf_name);
    auto file = MemoryModel::create(*a, a->tiny[0], "q8_0");
    REQUIRE(file.has_value());
    const auto model = Model::load(*file);
    REQUIRE(model.has_value());
    ThreadPool pool(2);
    auto engine = Engine::create(*model, pool, {.n_ctx = 64, .n_batch = 16});
    REQUIRE(engine.has_value());
    REQUIRE(engine->prefill(std::vector<TokenId>{1, 2, 3}).has_value());
    REQUIRE(engine->decode(4).has_value());
    const int before = n_allocations;
    bool good = true;
    for (int i = 0; i < 20; ++i) good &= engine->decode(5 + i).has_value();
    CHECK(n_allocations == before);
    CHECK(good);
  }
}

TEST_CASE(
    "latent attention caches its compressed rows: 576 values a token and layer in DeepSeek V3") {
  const uint64_t bytes = kv_bytes(R"({"architectures": ["DeepseekV3ForCausalLM"],
      "model_type": "deepseek_v3", "hidden_size": 7168, "intermediate_size": 18432,
      "num_attention_heads": 128, "num_hidden_layers": 61})",
                                  4096);
  CHECK(bytes == uint64_t{4096} * 61 * 576 * 2);
}

TEST_CASE("windows cache themselves and a batch, not the context: Gemma 3 1B") {
  const uint64_t bytes = kv_bytes(R"({"architectures": ["Gemma3ForCausalLM"], "hidden_size": 1152,
      "intermediate_size": 6912, "num_attention_heads": 4, "num_key_value_heads": 1,
      "num_hidden_layers": 26, "head_dim": 256, "sliding_window": 512, "vocab_size": 262144})",
                                  32768);
  const uint64_t row = 2 * 256 * 2;  // key and value of one head
  CHECK(bytes == row * (4 * 32768 + 22 * (512 + 512)));
}

TEST_CASE("a plain model caches everything: Llama 3.1 8B") {
  const uint64_t bytes = kv_bytes(R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 4096,
      "intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8,
      "num_hidden_layers": 32, "vocab_size": 128256, "max_position_embeddings": 131072})",
                                  8192);
  CHECK(bytes == uint64_t{8192} * 32 * 2 * 8 * 128 * 2);
}

TEST_CASE("quantized caches are about half and a quarter of f16, keys and values apart") {
  const char* phi = R"({"architectures": ["PhiForCausalLM"], "hidden_size": 2560,
      "intermediate_size": 10240, "num_attention_heads": 32, "num_hidden_layers": 32,
      "vocab_size": 51200})";  // heads of 80: two and a half blocks of 32, three are stored
  const uint64_t rows = uint64_t{1024} * 32 * 32;
  CHECK(kv_bytes(phi, 1024, {KvFormat::kF32, KvFormat::kBf16}) == rows * 80 * (4 + 2));
  CHECK(kv_bytes(phi, 1024, {KvFormat::kQ8_0, KvFormat::kF16}) == rows * (3 * 34 + 160));
  CHECK(kv_bytes(phi, 1024, {KvFormat::kQ4_0, KvFormat::kQ4_0}) == rows * 2 * 3 * 18);
}

TEST_CASE("a model that keeps its values inside of its keys takes one type for both") {
  const Architecture& a = *find_architecture("deepseek2");
  auto file = MemoryModel::create(a, a.tiny[0], "f32");
  REQUIRE(file.has_value());
  const auto model = Model::load(*file);
  REQUIRE(model.has_value());
  ThreadPool pool(1);
  const auto engine = [&](KvTypes types) {
    return Engine::create(*model, pool, {.n_ctx = 64, .kv_types = types});
  };
  CHECK(engine({KvFormat::kQ8_0, KvFormat::kQ8_0}).has_value());
  const auto refused = engine({KvFormat::kQ8_0, KvFormat::kF16});
  REQUIRE(!refused.has_value());
  CHECK(refused.error().kind == ErrorKind::kUsage);
  CHECK(refused.error().message.find("q8_0 and f16") != std::string::npos);
}

TEST_CASE("a token reads the experts it uses, no others") {
  const Architecture& a = *find_architecture("qwen3moe");
  auto file = MemoryModel::create(a, a.tiny[0], "f32");
  REQUIRE(file.has_value());
  const auto model = Model::load(*file);
  REQUIRE(model.has_value());
  const auto& l = model->weights().layers[0];
  uint64_t experts = 0, all = 0;
  for (const ExpertWeights* w : {&l.ffn_gate_exps, &l.ffn_up_exps, &l.ffn_down_exps})
    experts += w->w.size() * w->w[0].row_bytes() * w->w[0].n_rows;
  for (const TensorView& t : file->tensors())
    if (t.name != "token_embd.weight") all += t.bytes.size();
  const MoeHparams& m = model->hparams().moe;
  const uint64_t unused = 2 * experts * (m.n_expert - m.n_expert_used) / m.n_expert;
  CHECK(model->bytes_per_token() == all - unused);
}

TEST_CASE("the work of tokens: each weight once for a batch, windows in attention") {
  const Architecture& a = *find_architecture("gemma3");
  auto file = MemoryModel::create(a, a.tiny[0], "f32");
  REQUIRE(file.has_value());
  const auto model = Model::load(*file);
  REQUIRE(model.has_value());
  const Hparams& h = model->hparams();
  const double weights = model->weights().bytes_per_batch;
  CHECK(weights == model->bytes_per_token());  // no experts
  CHECK(prompt_work(*model, 40, 16).n_bytes == 3 * weights);
  double keys = 0, windowed = 0;  // that a token at position 99 sees
  for (int i = 0; i < h.n_layer; ++i) {
    keys += h.is_sliding(i) ? std::min(100, h.window) : 100;
    windowed += h.is_sliding(i);
  }
  CHECK(windowed > 0);
  const Work one = generation_work(*model, 99, 1, h.n_layer * 8.0);
  CHECK(one.n_bytes == doctest::Approx(weights + 8 * keys));
  CHECK(one.n_macs ==
        doctest::Approx(model->weights().macs_per_token + keys * h.n_head * (h.d_k + h.d_v)));
  CHECK(prompt_work(*model, 1, 1).n_macs == generation_work(*model, 0, 1, 0).n_macs);
}
