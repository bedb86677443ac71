#include "core/ops/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/cpu_features.h"
#include "quant/dispatch.h"
#include "quant/format.h"
#include "tests/ops/ops_test.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

struct Case {
  int n_tokens, n_head, n_head_kv, d_k, d_v;
  KvTypes types;
  AttentionOptions options;
  int capacity = 0;  // 0: room for all
  bool values_in_keys = false;
};

// Keys, values and queries of one layer, and the cache that holds them.
struct Kit {
  explicit Kit(const Case& of, uint64_t seed = 1) : c(of) {
    const int capacity =
        c.capacity ? c.capacity : (c.n_tokens + kKvChunk - 1) / kKvChunk * kKvChunk;
    kv.types = c.types;
    kv.n_head_kv = c.n_head_kv;
    kv.d_k = c.d_k;
    kv.d_v = c.d_v;
    kv.capacity = capacity;
    kv.values_in_keys = c.values_in_keys;
    keys.assign(size_t(c.n_head_kv) * capacity * kv.key_bytes(), std::byte{0xff});  // 0xff..: NaN
    values.assign(size_t(c.n_head_kv) * capacity * kv.value_bytes(), std::byte{0xff});
    kv.keys = keys.data();
    kv.values = values.data();
    q = random_values(size_t(c.n_tokens) * c.n_head * c.d_k, seed, 2.0f);
    k = random_values(size_t(c.n_tokens) * c.n_head_kv * c.d_k, seed + 1);
    v = random_values(size_t(c.n_tokens) * c.n_head_kv * c.d_v, seed + 2);
    if (c.values_in_keys)
      for (size_t i = 0; i < v.size(); ++i) v[i] = k[i / c.d_v * c.d_k + i % c.d_v];
    options = c.options;
    options.n_head = c.n_head;
    options.scale = 1 / std::sqrt(float(c.d_k));
  }

  void store(int t) {
    kv_store(kv, t, k.data() + t * c.n_head_kv * c.d_k, v.data() + t * c.n_head_kv * c.d_v);
  }

  // What the cache made of keys and values, by the weight formats of the same names.
  void read_back() {
    for (int t = 0; t < c.n_tokens; ++t) {
      store(t);
      for (int h = 0; h < c.n_head_kv; ++h) {
        decode_row(kv.types.keys, kv.key(h, t % kv.capacity), c.d_k,
                   k.data() + (t * c.n_head_kv + h) * c.d_k);
        decode_row(c.values_in_keys ? kv.types.keys : kv.types.values, kv.value(h, t % kv.capacity),
                   c.d_v, v.data() + (t * c.n_head_kv + h) * c.d_v);
      }
    }
  }
  static void decode_row(KvFormat type, const std::byte* row, int width, float* out) {
    const quant::Format& format = *quant::find_format(kv_format_name(type));
    std::vector<float> whole((width + format.block_len - 1) / format.block_len * format.block_len);
    quant::kernels(format).dequantize(row, int64_t(whole.size()), whole.data());
    std::copy_n(whole.data(), width, out);
  }

  // All tokens, `batch` at a time; each batch is stored, then attended to.
  std::vector<float> run(int n_threads, int batch, Phase phase = Phase::kPrompt) {
    ThreadPool pool(n_threads);
    Arena arena = *Arena::create(
        AttentionScratch::bytes_needed(c.n_head, c.d_k, c.d_v, c.n_tokens, n_threads));
    AttentionScratch scratch(arena, c.n_head, c.d_k, c.d_v, c.n_tokens, n_threads);
    std::vector<float> out(size_t(c.n_tokens) * c.n_head * c.d_v, NAN);
    for (int t = 0; t < c.n_tokens; t += batch) {
      const int n = std::min(batch, c.n_tokens - t), q_cols = c.n_head * c.d_k,
                out_cols = c.n_head * c.d_v;
      for (int i = 0; i < n; ++i) store(t + i);
      attention(pool, scratch, options, kv, phase, t,
                ConstRows(q.data() + t * q_cols, n, q_cols, q_cols),
                {out.data() + t * out_cols, n, out_cols, size_t(out_cols)});
    }
    return out;
  }

  // One head of one query in float64, by the formula.
  std::vector<double> reference(int t, int head) const {
    const int group = head / (c.n_head / c.n_head_kv);
    double sum = options.sinks ? std::exp(double(options.sinks[head])) : 0;
    std::vector<double> weighted(c.d_v, 0.0);
    for (int p = 0; p <= t; ++p) {
      if (options.window && t - p >= options.window) continue;
      if (options.chunk && p < t / options.chunk * options.chunk) continue;
      double score = 0;
      for (int i = 0; i < c.d_k; ++i)
        score +=
            double(q[(t * c.n_head + head) * c.d_k + i]) * k[(p * c.n_head_kv + group) * c.d_k + i];
      score *= options.scale;
      if (options.alibi_slopes) score += double(options.alibi_slopes[head]) * (p - t);
      if (options.softcap) score = options.softcap * std::tanh(score / options.softcap);
      sum += std::exp(score);
      for (int i = 0; i < c.d_v; ++i)
        weighted[i] += std::exp(score) * v[(p * c.n_head_kv + group) * c.d_v + i];
    }
    for (double& w : weighted) w /= sum;
    return weighted;
  }

  double worst_error(const std::vector<float>& out) const {
    double worst = 0;
    for (int t = 0; t < c.n_tokens; ++t)
      for (int h = 0; h < c.n_head; ++h) {
        const std::vector<double> wanted = reference(t, h);
        for (int i = 0; i < c.d_v; ++i) {
          const double error = std::abs(out[(size_t(t) * c.n_head + h) * c.d_v + i] - wanted[i]);
          if (!(error <= worst)) worst = error;
        }
      }
    return worst;
  }

  Case c;
  KvLayer kv;
  AttentionOptions options;
  std::vector<std::byte> keys, values;
  std::vector<float> q, k, v;
};

const float kSinks[] = {0.5f, -1.0f, 2.0f, 0.0f, 1.0f, 3.0f, -2.0f, 0.1f};
const float kSlopes[] = {0.5f, 0.25f, 0.125f, 0.0625f, 0.03f, 0.015f, 0.008f, 0.004f};

AttentionOptions with(int window, int chunk = 0, float cap = 0, const float* sinks = nullptr,
                      const float* slopes = nullptr) {
  AttentionOptions options;
  options.window = window;
  options.chunk = chunk;
  options.softcap = cap;
  options.sinks = sinks;
  options.alibi_slopes = slopes;
  return options;
}

constexpr KvTypes same(KvFormat format) { return {format, format}; }
constexpr KvTypes kF32 = same(KvFormat::kF32), kF16 = same(KvFormat::kF16);
constexpr KvTypes kBf16 = same(KvFormat::kBf16), kQ8 = same(KvFormat::kQ8_0),
                  kQ4 = same(KvFormat::kQ4_0);

// Whether prompts go through bf16 dot units.
bool rounds_to_bf16(const Case& c) {
  return quant::isa_name() == "avx512" && cpu_features().avx512_bf16 &&
         c.types.keys != KvFormat::kF32 && c.types.values != KvFormat::kF32;
}

const Case kCases[] = {
    {150, 4, 4, 64, 64, kF32, {}},
    {150, 9, 3, 64, 64, kF16, {}},
    {200, 8, 2, 80, 48, kF32, {}},
    {90, 4, 1, 256, 256, kF16, {}},
    {70, 8, 8, 20, 12, kF32, {}},
    {300, 4, 2, 32, 32, kF32, with(100)},
    {300, 4, 2, 32, 32, kF16, with(1)},
    {300, 4, 2, 32, 32, kF32, with(0, 70)},
    {130, 8, 2, 32, 32, kF32, with(64, 0, 0, kSinks)},
    {130, 8, 2, 32, 32, kF32, with(0, 0, 5)},
    {130, 8, 2, 32, 32, kF32, with(0, 0, 0, nullptr, kSlopes)},
    {130, 8, 4, 32, 32, kF16, with(77, 0, 20, kSinks, kSlopes)},
    {150, 6, 1, 72, 64, kF16, {}, 0, true},
    {150, 6, 1, 40, 36, kF32, {}, 0, true},
    {150, 9, 3, 64, 64, kBf16, {}},
    {150, 9, 3, 64, 64, kQ8, {}},
    {90, 7, 1, 128, 128, kQ4, with(70)},
    {150, 8, 2, 64, 96, {KvFormat::kQ8_0, KvFormat::kF16}, {}},
    {130, 8, 2, 96, 64, {KvFormat::kF32, KvFormat::kQ8_0}, with(64, 0, 0, kSinks)},
    {130, 8, 2, 80, 72, kQ8, {}},  // rows of no whole number of blocks
    {70, 4, 4, 40, 20, {KvFormat::kQ8_0, KvFormat::kQ4_0}, {}},
    {150, 6, 1, 72, 64, kQ8, {}, 0, true},
};

}  // namespace

TEST_CASE("attention: agrees with float64") {
  on_each_isa([] {
    for (const Case& c : kCases) {
      CAPTURE(&c - kCases);
      Kit kit(c);
      const std::vector<float> prompt = kit.run(2, 64), one = kit.run(2, 1, Phase::kGeneration);
      kit.read_back();
      CHECK(kit.worst_error(prompt) < (rounds_to_bf16(c) ? 1e-2 : 5e-6));
      CHECK(kit.worst_error(one) < 5e-6);
    }
  });
}

TEST_CASE("attention: the cache loses no more than its type says") {
  // In units of the largest number of a block, or of the number itself.
  constexpr double kBounds[kKvFormats] = {0, 0x1p-11, 0x1p-8, 0.57 / 127, 1.01 / 8};
  on_each_isa([&] {
    for (int type = 0; type < kKvFormats; ++type) {
      CAPTURE(type);
      Kit kit({40, 2, 2, 96, 80, same(KvFormat(type)), {}});
      const std::vector<float> before = kit.k;
      kit.read_back();
      for (size_t i = 0; i < before.size(); ++i) {
        const size_t block = i / 32 * 32;
        double largest = std::abs(before[i]);
        if (type >= int(KvFormat::kQ8_0))
          for (size_t n = block; n < block + 32; ++n)
            largest = std::max<double>(largest, std::abs(before[n]));
        REQUIRE(std::abs(double(before[i]) - kit.k[i]) <= kBounds[type] * largest);
      }
    }
  });
}

TEST_CASE("attention: what is no number stays none in every type of cache") {
  on_each_isa([] {
    for (int type = 0; type < kKvFormats; ++type)
      for (const float wild : {INFINITY, -INFINITY, NAN}) {
        Kit kit({1, 1, 1, 64, 64, same(KvFormat(type)), {}});
        kit.k[40] = kit.v[40] = wild;
        kit.read_back();
        CHECK(!std::isfinite(kit.k[40]));
        CHECK(std::isfinite(kit.k[0]));
        CHECK(!std::isfinite(kit.v[40]));
      }
  });
}

TEST_CASE("attention: bits do not depend on threads and batch") {
  on_each_isa([] {
    for (const Case& c : kCases) {
      CAPTURE(&c - kCases);
      Kit kit(c);
      const std::vector<float> one = kit.run(1, 1), generated = kit.run(1, 1, Phase::kGeneration);
      for (const int n_threads : {1, 2, 3, 4}) {
        for (const int batch : {7, 64, 512}) CHECK(same_bits(one, kit.run(n_threads, batch)));
        CHECK(same_bits(generated, kit.run(n_threads, 1, Phase::kGeneration)));
        CHECK(same_bits(generated, kit.run(n_threads, 5, Phase::kGeneration)));
      }
    }
  });
}

TEST_CASE("attention: a ring that holds the window and the batch is as good as room for all") {
  for (const int window : {1, 64, 100, 128}) {
    Case c{500, 4, 2, 32, 32, kF32, with(window)};
    for (const Phase phase : {Phase::kPrompt, Phase::kGeneration}) {
      const std::vector<float> wanted = Kit(c).run(1, 64, phase);
      c.capacity = (window - 1 + 64 + kKvChunk - 1) / kKvChunk * kKvChunk;
      Kit ring(c);
      CHECK(same_bits(wanted, ring.run(2, 64, phase)));
    }
  }
}

TEST_CASE("attention: hidden keys and values do not matter, whatever they are") {
  on_each_isa([] {
    for (const KvTypes types : {kF32, kF16, kQ8}) {
      Kit kit({100, 4, 2, 32, 32, types, {}});
      const std::vector<float> wanted = kit.run(1, 100);
      std::fill_n(kit.k.begin() + 50 * 2 * 32, 50 * 2 * 32, INFINITY);
      std::fill_n(kit.v.begin() + 50 * 2 * 32, 50 * 2 * 32, NAN);
      const std::vector<float> got = kit.run(1, 100);
      CHECK(std::memcmp(wanted.data(), got.data(), 50 * 4 * 32 * sizeof(float)) == 0);
      CHECK(std::isnan(got[50 * 4 * 32]));
    }
  });
}

TEST_CASE("attention: a value that is not finite spoils its own dimension and what sees it") {
  on_each_isa([] {
    for (const KvTypes types : {kF32, kF16}) {
      Kit kit({100, 4, 2, 32, 32, types, {}});
      const std::vector<float> wanted = kit.run(1, 100);
      kit.v[(50 * 2 + 1) * 32 + 7] = INFINITY;
      const std::vector<float> got = kit.run(1, 100);
      for (size_t i = 0; i < got.size(); ++i) {
        const size_t t = i / (4 * 32), head = i / 32 % 4;
        if (t >= 50 && head >= 2 && i % 32 == 7)
          CHECK(!std::isfinite(got[i]));
        else
          REQUIRE(got[i] == wanted[i]);
      }
    }
  });
}
