#include "core/ops/matmul.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "quant/dispatch.h"
#include "tests/ops/ops_test.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

struct Setting {
  Phase phase = Phase::kPrompt;
  bool exact = false;
  int n_threads = 1;
  int batch = 64;
};

// out = W x (+ bias, + out) for all rows of x, `batch` at a time.
std::vector<float> product(const Setting& s, const TestMatrix& w, const std::vector<float>& x,
                           const float* bias = nullptr, const std::vector<float>& before = {}) {
  const int n_cols = w.matrix.n_cols, n_rows = w.matrix.n_rows,
            n_tokens = static_cast<int>(x.size()) / n_cols;
  ThreadPool pool(s.n_threads);
  Arena arena = *Arena::create(MatmulScratch::bytes_needed(s.batch, n_cols, s.n_threads));
  MatmulScratch scratch(arena, s.batch, n_cols, s.n_threads);
  const MatmulContext context{pool, scratch, s.phase, s.exact};
  std::vector<float> out = before.empty() ? std::vector<float>(n_tokens * n_rows, NAN) : before;
  for (int t = 0; t < n_tokens; t += s.batch) {
    const int n = std::min(s.batch, n_tokens - t);
    const Product p{
        &w.matrix, bias, {out.data() + t * n_rows, n, n_rows, size_t(n_rows)}, !before.empty()};
    matmul(context, ConstRows(x.data() + t * n_cols, n, n_cols, n_cols), {&p, 1});
  }
  return out;
}

// The largest difference from a float64 product, in units of sum |w x|.
double worst_error(const TestMatrix& w, const std::vector<float>& x,
                   const std::vector<float>& out) {
  const int n_cols = w.matrix.n_cols, n_rows = w.matrix.n_rows;
  double worst = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    double sum = 0, magnitude = 0;
    for (int c = 0; c < n_cols; ++c) {
      const double term = double(w.values[i % n_rows * n_cols + c]) * x[i / n_rows * n_cols + c];
      sum += term;
      magnitude += std::abs(term);
    }
    if (!(std::abs(out[i] - sum) <= worst * magnitude)) worst = std::abs(out[i] - sum) / magnitude;
  }
  return worst;
}

}  // namespace

TEST_CASE("matmul: every format agrees with float64, exactly and with rounded activations") {
  on_each_isa([] {
    for (const quant::Format* format : quant::formats()) {
      CAPTURE(format->name);
      for (const int n_cols : {256, 768}) {
        const TestMatrix w(*format, 83, n_cols, 1);
        const std::vector<float> x = random_values(19 * n_cols, 2);
        for (const Phase phase : {Phase::kPrompt, Phase::kGeneration}) {
          CHECK(worst_error(w, x, product({phase, true, 2}, w, x)) < 1e-6);
          CHECK(worst_error(w, x, product({phase, false, 2}, w, x)) <
                1e-2);  // int8 activations: up to 1/254 of the largest
        }
      }
    }
  });
}

TEST_CASE("matmul: bits do not depend on threads, batch and instruction path's remainders") {
  on_each_isa([] {
    for (const quant::Format* format : quant::formats()) {
      CAPTURE(format->name);
      const TestMatrix w(*format, 130, 512, 3);
      const std::vector<float> x = random_values(70 * 512, 4);
      for (const bool exact : {false, true}) {
        for (const Phase phase : {Phase::kPrompt, Phase::kGeneration}) {
          const std::vector<float> one = product({phase, exact, 1, 1}, w, x);
          for (const int n_threads : {1, 2, 3, 4})
            for (const int batch : {7, 64, 512})
              CHECK(same_bits(one, product({phase, exact, n_threads, batch}, w, x)));
        }
      }
    }
  });
}

TEST_CASE("matmul: rows of a matrix do not influence each other") {
  on_each_isa([] {
    for (const quant::Format* format : quant::formats()) {
      CAPTURE(format->name);
      const TestMatrix w(*format, 70, 256, 5);
      const std::vector<float> x = random_values(3 * 256, 6);
      TestMatrix part = w;
      part.matrix.n_rows = 5;
      part.matrix.data = part.bytes.data() + 33 * w.matrix.row_bytes();
      for (const Phase phase : {Phase::kPrompt, Phase::kGeneration}) {
        const std::vector<float> all = product({phase}, w, x), some = product({phase}, part, x);
        for (int t = 0; t < 3; ++t)
          for (int r = 0; r < 5; ++r) CHECK(all[t * 70 + 33 + r] == some[t * 5 + r]);
      }
    }
  });
}

TEST_CASE("matmul: bias and residual are added to the product") {
  on_each_isa([] {
    const TestMatrix w(*quant::find_format("q8_0"), 33, 256, 7);
    const std::vector<float> x = random_values(20 * 256, 8), bias = random_values(33, 9);
    const std::vector<float> before = random_values(20 * 33, 10);
    for (const Phase phase : {Phase::kPrompt, Phase::kGeneration}) {
      const std::vector<float> plain = product({phase, false, 2}, w, x);
      const std::vector<float> full = product({phase, false, 2}, w, x, bias.data(), before);
      for (size_t i = 0; i < full.size(); ++i)
        CHECK(full[i] == before[i] + (plain[i] + bias[i % 33]));
    }
  });
}

TEST_CASE("matmul: several products of one made x, of all kinds of activations at once") {
  on_each_isa([] {
    const int n_cols = 256, n_tokens = 21;
    const TestMatrix a(*quant::find_format("q4_0"), 64, n_cols, 1),
        b(*quant::find_format("f16"), 20, n_cols, 2),
        c(*quant::find_format("q4_k"), 100, n_cols, 3);
    const std::vector<float> x = random_values(n_tokens * n_cols, 4);
    for (const Phase phase : {Phase::kPrompt, Phase::kGeneration}) {
      ThreadPool pool(2);
      Arena arena = *Arena::create(MatmulScratch::bytes_needed(n_tokens, n_cols, 2));
      MatmulScratch scratch(arena, n_tokens, n_cols, 2);
      std::vector<float> out_a(n_tokens * 64), out_b(n_tokens * 20), out_c(n_tokens * 100);
      const Product products[] = {{&a.matrix, nullptr, rows_of(out_a, n_tokens, 64)},
                                  {&b.matrix, nullptr, rows_of(out_b, n_tokens, 20)},
                                  {&c.matrix, nullptr, rows_of(out_c, n_tokens, 100)}};
      const auto source = [&](int t, float* row) {
        std::copy_n(x.data() + t * n_cols, n_cols, row);
      };
      matmul({pool, scratch, phase}, n_tokens, n_cols, source, products);
      const Setting s{phase, false, 1, n_tokens};
      CHECK(same_bits(out_a, product(s, a, x)));
      CHECK(same_bits(out_b, product(s, b, x)));
      CHECK(same_bits(out_c, product(s, c, x)));
    }
  });
}

TEST_CASE("matmul: columns that are no multiple of anything but the block") {
  on_each_isa([] {
    for (const char* name : {"q4_1", "q8_0", "f32"}) {
      const TestMatrix w(*quant::find_format(name), 17, 96, 11);
      const std::vector<float> x = random_values(5 * 96, 12);
      for (const Phase phase : {Phase::kPrompt, Phase::kGeneration})
        CHECK(worst_error(w, x, product({phase, true}, w, x)) < 1e-6);
    }
  });
}
