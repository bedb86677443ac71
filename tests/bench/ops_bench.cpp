// Microbenchmarks of core/ops: bench_ops --benchmark_filter='prompt/q8_0'
//   prompt/KV-TYPE/DEPTH  attention of 512 prompt tokens that end at DEPTH, on one thread: 32 query
//                         heads of 128 over 8 KV heads
//   token/KV-TYPE/DEPTH   the same of one generated token, its layers too many for a cache
//   handover/THREADS      one phase of the thread pool with a task for each thread
#include <benchmark/benchmark.h>

#include <random>

#include "core/ops/attention.h"

using namespace nibble;

namespace {

constexpr int kHeads = 32, kKvHeads = 8, kWidth = 128, kTokens = 512;

// `n_layers` caches of `depth` random positions.
struct Caches {
  Caches(KvFormat format, int depth, int n_layers) : memory(n_layers) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> row(kKvHeads * kWidth);
    KvLayer layer;
    layer.types = {format, format};
    layer.n_head_kv = kKvHeads;
    layer.d_k = layer.d_v = kWidth;
    layer.capacity = (depth + kKvChunk - 1) / kKvChunk * kKvChunk;
    const size_t half = size_t{kKvHeads} * layer.capacity * layer.key_bytes();
    for (std::vector<std::byte>& bytes : memory) {
      bytes.resize(2 * half);
      layer.keys = bytes.data();
      layer.values = bytes.data() + half;
      for (int p = 0; p < depth; ++p) {
        for (float& x : row) x = normal(random);
        kv_store(layer, p, row.data(), row.data());
      }
      layers.push_back(layer);
    }
  }
  std::vector<std::vector<std::byte>> memory;
  std::vector<KvLayer> layers;
};

void attend(benchmark::State& state, KvFormat format, Phase phase, int depth, int n_tokens,
            int n_layers) {
  const Caches caches(format, depth, n_layers);
  ThreadPool pool(1);
  Arena arena = *Arena::create(AttentionScratch::bytes_needed(kHeads, kWidth, kWidth, depth, 1));
  AttentionScratch scratch(arena, kHeads, kWidth, kWidth, depth, 1);
  AttentionOptions options;
  options.n_head = kHeads;
  options.scale = 0.09f;
  constexpr int kCols = kHeads * kWidth;
  const std::vector<float> q(size_t(n_tokens) * kCols, 0.5f);
  std::vector<float> out(q.size());
  for (auto _ : state)
    for (const KvLayer& layer : caches.layers)
      attention(pool, scratch, options, layer, phase, depth - n_tokens,
                ConstRows(q.data(), n_tokens, kCols, kCols),
                {out.data(), n_tokens, kCols, size_t(kCols)});
  const double seen = n_tokens * (depth - 0.5 * (n_tokens - 1)), runs = double(n_layers);
  state.counters["GMAC/s"] = benchmark::Counter(runs * seen * 2 * kCols / 1e9,
                                                benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GB/s"] =
      benchmark::Counter(runs * depth * 2 * kKvHeads * double(caches.layers[0].key_bytes()) / 1e9,
                         benchmark::Counter::kIsIterationInvariantRate);
}

void hand_over(benchmark::State& state) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  for (auto _ : state) pool.run(pool.size(), [](int, int) {});
}
BENCHMARK(hand_over)->Name("handover")->Arg(1)->Arg(2)->Arg(4)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  for (int i = 0; i < kKvFormats; ++i) {
    const auto format = KvFormat(i);
    const std::string type(kv_format_name(format));
    for (const int depth : {512, 4096}) {
      const std::string suffix = type + "/" + std::to_string(depth);
      benchmark::RegisterBenchmark(("prompt/" + suffix).c_str(), attend, format, Phase::kPrompt,
                                   depth, kTokens, 1);
      benchmark::RegisterBenchmark(("token/" + suffix).c_str(), attend, format, Phase::kGeneration,
                                   depth, 1, 8);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
