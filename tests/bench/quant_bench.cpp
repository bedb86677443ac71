// Microbenchmarks of the kernels: bench_quant --benchmark_filter='gemm/q4_k'
//   gemm/FORMAT/N           64 rows of 4096 weights, expanded from the file's layout and multiplied
//                           with N packed tokens
//   gemv/FORMAT             rows of 4096 weights in memory, not in a cache, times one packed token
//   gemv_short/FORMAT       the same for rows of 576 weights, which are no whole number of steps
//   gemv_long/FORMAT        the same for rows of 14336, whose activations do not stay in L1
//   gemv_cached/FORMAT/N    the same in L2, times N tokens
//   pack_tile/KIND, pack_row/KIND    activations
//   read                    the plain read that gemv is held against
#include <benchmark/benchmark.h>
#include <immintrin.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "quant/dispatch.h"
#include "tests/quant/random_blocks.h"

using namespace nibble;

namespace {

constexpr int kCols = 4096, kShortCols = 576, kLongCols = 14336;
constexpr size_t kLarge = size_t{384} << 20;  // well beyond the last cache

// Memory in large pages where the system has them.
std::byte* large_pages() {
  static std::byte* const pages = [] {
    void* p = mmap(nullptr, kLarge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(p, kLarge, MADV_HUGEPAGE);
    std::memset(p, 0x3c, kLarge);  // ordinary numbers as scales of every format
    return static_cast<std::byte*>(p);
  }();
  return pages;
}

struct Packed {
  std::shared_ptr<std::byte> row;
  Packed(const quant::Format& format, int n_cols) {
    std::mt19937 random(1);
    const auto x = tests::random_activations(n_cols, random);
    const auto& pack = quant::activation_kernels(format.activation);
    row = tests::aligned_bytes(pack.row_bytes(n_cols));
    pack.pack_row(x.data(), n_cols, row.get());
  }
};

void gemm(benchmark::State& state, const quant::Format* format, int n_tokens) {
  constexpr int kPanels = 4;
  std::mt19937 random(1);
  const auto& k = quant::kernels(*format);
  const auto& pack = quant::activation_kernels(format->activation);
  const size_t row_bytes = format->row_bytes(kCols), panel_bytes = k.panel_bytes(kCols);
  const auto w =
      tests::random_blocks(*format, int64_t{kPanels} * quant::kPanelRows * kCols, random);
  const auto x = tests::random_activations(size_t{quant::kTileTokens} * kCols, random);
  const int n_tiles = (n_tokens + quant::kTileTokens - 1) / quant::kTileTokens;
  const size_t tile_bytes = (pack.tile_bytes(kCols) + 63) / 64 * 64;
  const auto tiles = tests::aligned_bytes(tile_bytes * n_tiles),
             panels = tests::aligned_bytes(panel_bytes * kPanels);
  for (int t = 0; t < n_tiles; ++t)
    pack.pack_tile(x.data(), kCols, std::min(quant::kTileTokens, n_tokens - t * quant::kTileTokens),
                   kCols, tiles.get() + tile_bytes * t);
  std::vector<float> out(size_t(n_tokens) * kPanels * quant::kPanelRows);
  for (auto _ : state) {
    std::ranges::fill(out, 0.0f);
    for (int p = 0; p < kPanels; ++p)
      k.expand_panel(&w[p * quant::kPanelRows * row_bytes], row_bytes, quant::kPanelRows, kCols,
                     panels.get() + p * panel_bytes);
    for (int t = 0; t < n_tiles; ++t)
      for (int p = 0; p < kPanels; ++p)
        k.multiply_panel(panels.get() + p * panel_bytes, quant::kPanelRows, kCols,
                         tiles.get() + t * tile_bytes,
                         std::min(quant::kTileTokens, n_tokens - t * quant::kTileTokens),
                         &out[size_t(t) * quant::kTileTokens * kPanels * quant::kPanelRows +
                              p * quant::kPanelRows],
                         kPanels * quant::kPanelRows);
    benchmark::ClobberMemory();
  }
  state.counters["GMAC/s"] =
      benchmark::Counter(1e-9 * kPanels * quant::kPanelRows * double(kCols) * n_tokens,
                         benchmark::Counter::kIsIterationInvariantRate);
}

void gemv(benchmark::State& state, const quant::Format* format, size_t bytes, int n_tokens,
          int n_cols) {
  const auto& k = quant::kernels(*format);
  const size_t row_bytes = format->row_bytes(n_cols);
  const int n_rows = static_cast<int>(bytes / row_bytes);
  const Packed x(*format, n_cols);
  std::vector<float> y(n_rows);
  const std::byte* const pages = large_pages();
  for (auto _ : state) {
    k.gemv({pages, row_bytes, n_rows, n_cols, x.row.get(), 0, n_tokens, y.data(), 0});
    benchmark::ClobberMemory();
  }
  state.counters["GB/s"] = benchmark::Counter(1e-9 * double(n_rows * row_bytes),
                                              benchmark::Counter::kIsIterationInvariantRate);
  state.counters["s/32w"] = benchmark::Counter(
      double(n_rows) * n_cols / 32,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

[[gnu::target("avx2")]] void read_plain(const std::byte* p, size_t bytes, uint64_t* sum) {
  __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
  for (size_t i = 0; i < bytes; i += 128) {
    const auto at = reinterpret_cast<const __m256i*>(p + i);
    a = _mm256_xor_si256(a, _mm256_load_si256(at));
    b = _mm256_xor_si256(b, _mm256_load_si256(at + 1));
    c = _mm256_xor_si256(c, _mm256_load_si256(at + 2));
    d = _mm256_xor_si256(d, _mm256_load_si256(at + 3));
  }
  *sum = static_cast<uint64_t>(
      _mm256_extract_epi64(_mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d)), 0));
}

void read(benchmark::State& state) {
  const std::byte* const pages = large_pages();  // touched before the clock runs
  uint64_t sum = 0;
  for (auto _ : state) {
    read_plain(pages, kLarge, &sum);
    benchmark::DoNotOptimize(sum);
  }
  state.counters["GB/s"] =
      benchmark::Counter(1e-9 * double(kLarge), benchmark::Counter::kIsIterationInvariantRate);
}

void pack_tile(benchmark::State& state, quant::ActivationKind kind) {
  std::mt19937 random(1);
  const auto& pack = quant::activation_kernels(kind);
  const auto x = tests::random_activations(size_t{quant::kTileTokens} * kCols, random);
  const auto tile = tests::aligned_bytes(pack.tile_bytes(kCols));
  for (auto _ : state) {
    pack.pack_tile(x.data(), kCols, quant::kTileTokens, kCols, tile.get());
    benchmark::ClobberMemory();
  }
  state.counters["Gvalues/s"] = benchmark::Counter(1e-9 * quant::kTileTokens * double(kCols),
                                                   benchmark::Counter::kIsIterationInvariantRate);
}

void pack_row(benchmark::State& state, quant::ActivationKind kind) {
  std::mt19937 random(1);
  const auto& pack = quant::activation_kernels(kind);
  const auto x = tests::random_activations(kCols, random);
  const auto row = tests::aligned_bytes(pack.row_bytes(kCols));
  for (auto _ : state) {
    pack.pack_row(x.data(), kCols, row.get());
    benchmark::ClobberMemory();
  }
  state.counters["Gvalues/s"] =
      benchmark::Counter(1e-9 * double(kCols), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto selected = quant::select_isa(); !selected) {
    std::fprintf(stderr, "%s\n", selected.error().message.c_str());
    return 2;
  }
  benchmark::RegisterBenchmark("read", read);
  for (const quant::Format* format : quant::formats()) {
    if (!quant::kernels(*format).gemv) continue;
    const std::string name(format->name);
    if (quant::kernels(*format).multiply_panel)
      for (const int n : {1, 4, 16, 17, 32, 512})
        benchmark::RegisterBenchmark(("gemm/" + name + "/" + std::to_string(n)).c_str(), gemm,
                                     format, n);
    benchmark::RegisterBenchmark(("gemv/" + name).c_str(), gemv, format, kLarge, 1, kCols);
    if (kShortCols % format->block_len == 0)
      benchmark::RegisterBenchmark(("gemv_short/" + name).c_str(), gemv, format, kLarge, 1,
                                   kShortCols);
    benchmark::RegisterBenchmark(("gemv_long/" + name).c_str(), gemv, format, kLarge, 1, kLongCols);
    for (const int n : {1, 4})
      benchmark::RegisterBenchmark(("gemv_cached/" + name + "/" + std::to_string(n)).c_str(), gemv,
                                   format, size_t{512} << 10, n, kCols);
  }
  for (const auto& [kind, name] : {std::pair{quant::ActivationKind::kQ8x32, "q8x32"},
                                   std::pair{quant::ActivationKind::kQ8x256, "q8x256"}}) {
    benchmark::RegisterBenchmark((std::string("pack_tile/") + name).c_str(), pack_tile, kind);
    benchmark::RegisterBenchmark((std::string("pack_row/") + name).c_str(), pack_row, kind);
  }
  benchmark::AddCustomContext("isa", std::string(quant::isa_name()));
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
