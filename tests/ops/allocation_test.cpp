// Nothing is allocated while tokens flow: operator new is counted.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "core/ops/attention.h"
#include "core/ops/moe.h"
#include "tests/ops/ops_test.h"

namespace {
std::atomic<long> n_allocations = 0;
}

void* operator new(size_t n) {
  ++n_allocations;
  if (void* p = std::malloc(n)) return p;
  std::abort();
}
void* operator new(size_t n, std::align_val_t alignment) {
  ++n_allocations;
  const size_t a = static_cast<size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (n + a - 1) / a * a)) return p;
  std::abort();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { std::free(p); }

using namespace nibble;
using namespace nibble::tests;

TEST_CASE("allocation: the counter counts") {
  const long before = n_allocations;
  delete new int(1);
  std::vector<float> values(100);
  CHECK(n_allocations >= before + 1);
}

TEST_CASE("allocation: products, attention and experts allocate nothing") {
  const int n_tokens = 40, n_cols = 256, n_threads = 2;
  std::vector<TestMatrix> matrices;
  for (const char* format : {"q4_0", "q4_k", "f32"})
    matrices.emplace_back(*quant::find_format(format), n_cols, n_cols, 1);
  std::vector<float> x = random_values(n_tokens * n_cols, 2), out(n_tokens * n_cols),
                     more(n_tokens * n_cols), logits(n_tokens * n_cols);
  const Rows rows = rows_of(x, n_tokens, n_cols);
  const Product products[] = {{&matrices[0].matrix, nullptr, rows_of(out, n_tokens, n_cols)},
                              {&matrices[1].matrix, nullptr, rows_of(more, n_tokens, n_cols)},
                              {&matrices[2].matrix, nullptr, rows_of(logits, n_tokens, n_cols)}};
  ThreadPool pool(n_threads);
  Arena arena = *Arena::create(MatmulScratch::bytes_needed(n_tokens, n_cols, n_threads) +
                               AttentionScratch::bytes_needed(4, 64, 64, n_tokens, n_threads) +
                               MoeScratch::bytes_needed(n_tokens, n_cols, n_cols, 2, 1));
  MatmulScratch scratch(arena, n_tokens, n_cols, n_threads);
  AttentionScratch attention_scratch(arena, 4, 64, 64, n_tokens, n_threads);
  MoeScratch moe_scratch(arena, n_tokens, n_cols, n_cols, 2, 1);
  std::vector<std::byte> keys(64 * n_cols * 4), values(64 * n_cols * 4);
  KvLayer kv;
  kv.types = {KvFormat::kF32, KvFormat::kQ8_0};
  kv.n_head_kv = 4;
  kv.d_k = kv.d_v = 64;
  kv.capacity = 64;
  kv.keys = keys.data();
  kv.values = values.data();
  AttentionOptions options;
  options.n_head = 4;
  const Matrix experts_of[] = {matrices[0].matrix, matrices[1].matrix};
  Experts experts;
  experts.up = experts_of;
  experts.down = experts_of;
  const std::vector<int> ids(n_tokens, 1);
  const std::vector<float> weights(n_tokens, 1.0f);
  const auto square = [](const float*, const float* up, int n, float* h) {
    for (int i = 0; i < n; ++i) h[i] = up[i] * up[i];
  };

  const long before = n_allocations;
  for (const Phase phase : {Phase::kPrompt, Phase::kGeneration}) {
    for (const bool exact : {false, true}) {
      const MatmulContext context{pool, scratch, phase, exact};
      matmul(context, rows, products);
      moe(context, moe_scratch, experts, {1, ids.data(), weights.data()}, square, rows,
          products[0].out, [] { return true; });
    }
    for (int t = 0; t < n_tokens; ++t)
      kv_store(kv, t, x.data() + t * n_cols, x.data() + t * n_cols);
    attention(pool, attention_scratch, options, kv, phase, 0, rows, products[0].out);
  }
  CHECK(n_allocations == before);
}
