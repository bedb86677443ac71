// Products of the decoder: interrupts, and matrices that decode themselves.
#include "core/models/products.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace nibble;

namespace {

// Row r of the weights is r everywhere.
struct Counting final : RowDecoder {
  explicit Counting(int n) : n_cols(n) {}
  void decode(int64_t first, int64_t n, float* out, size_t stride) const override {
    for (int64_t r = 0; r < n; ++r)
      std::fill_n(out + r * stride, n_cols, static_cast<float>(first + r));
  }
  int n_cols;
};

struct Kit {
  Kit(int rows, int cols, int tokens, int n_threads)
      : n_rows(rows),
        n_cols(cols),
        n_tokens(tokens),
        decoder(cols),
        x(size_t(tokens) * cols, 1.0f),
        out(size_t(tokens) * rows, -1.0f),
        pool(n_threads),
        arena(*Arena::create(MatmulScratch::bytes_needed(tokens, cols, n_threads))),
        scratch(arena, tokens, cols, n_threads),
        products(pool, scratch, false) {
    w.format = quant::find_format("f32");
    w.data = reinterpret_cast<const std::byte*>(&decoder);  // not read
    w.n_rows = rows;
    w.n_cols = cols;
    w.decoder = &decoder;
  }
  void run(FunctionRef<bool()> go_on) {
    products.begin(Phase::kPrompt, go_on);
    const Product p{&w, nullptr, {out.data(), n_tokens, n_rows, size_t(n_rows)}, false};
    products.run(ConstRows(x.data(), n_tokens, n_cols, n_cols), std::span(&p, 1));
  }
  int n_rows, n_cols, n_tokens;
  Counting decoder;
  Matrix w;
  std::vector<float> x, out;
  ThreadPool pool;
  Arena arena;
  MatmulScratch scratch;
  Products products;
};

}  // namespace

// 3 G multiplications: more than are done between two questions.
TEST_CASE("products: a large matrix that decodes its rows gives each output its own row") {
  Kit kit(2048, 768, 2048, 2);
  kit.run(kAlways);
  CHECK(!kit.products.stopped());
  bool right = true;
  for (int t = 0; t < kit.n_tokens; t += 97)
    for (int r = 0; r < kit.n_rows; ++r)
      right &= kit.out[size_t(t) * kit.n_rows + r] == static_cast<float>(r) * kit.n_cols;
  CHECK(right);
}

TEST_CASE("products: a large product asks whether to go on, and stops") {
  Kit kit(2048, 768, 2048, 1);
  int asked = 0;
  kit.run([&] { return ++asked < 1; });
  CHECK(asked == 1);
  CHECK(kit.products.stopped());
  CHECK(kit.out.back() == -1.0f);
}
