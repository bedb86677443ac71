// Products of every format on every instruction set against double-precision sums of the exact
// terms, and the promise that a result does not depend on what is computed beside it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "quant/dispatch.h"
#include "tests/quant/random_blocks.h"

using namespace nibble;
using quant::kPanelRows;
using quant::kTileTokens;

namespace {

std::vector<int> widths(const quant::Format& format) {
  if (format.block_len == 256) return {256, 512, 1280, 4096};
  if (format.block_len == 1) return {1, 31, 32, 63, 64, 100, 576, 4096};
  return {32, 64, 96, 128, 160, 576, 640, 4096};
}

// Products as they should be, and the sums of their terms' magnitudes: [token][row].
struct Truth {
  std::vector<double> want, magnitude;

  Truth(const std::vector<float>& values, const std::vector<float>& rounded, int cols) {
    for (int t = 0; t < kTileTokens; ++t)
      for (int r = 0; r < kPanelRows; ++r) {
        double sum = 0, size = 0;
        for (int c = 0; c < cols; ++c) {
          const double term = double{values[r * cols + c]} * rounded[t * cols + c];
          sum += term;
          size += std::abs(term);
        }
        want.push_back(sum);
        magnitude.push_back(size);
      }
  }

  // The largest |got - want| as a share of the sum of the terms' magnitudes. got: one token's rows.
  double worst(const float* got, int token) const {
    double worst = 0;
    for (int r = 0; r < kPanelRows; ++r) {
      const int i = token * kPanelRows + r;
      const double error = std::abs(got[r] - want[i]) / magnitude[i];
      worst = error <= worst ? worst : error;  // NaN counts
    }
    return worst;
  }
};

// One format's 16 rows and 16 tokens.
struct Case {
  const quant::Format& format;
  int n_cols;
  std::vector<std::byte> w;
  std::vector<float> x;
  std::vector<Truth> truth;  // of row products, of panel products, of float products

  Case(const quant::Format& f, int cols) : format(f), n_cols(cols) {
    std::mt19937 random(static_cast<uint32_t>(f.gguf_type * 100000 + cols));
    w = tests::random_blocks(f, int64_t{kPanelRows} * cols, random);
    x = tests::random_activations(size_t{kTileTokens} * cols, random);
    std::vector<float> values(size_t{kPanelRows} * cols);
    quant::kernels(f).dequantize(w.data(), static_cast<int64_t>(values.size()), values.data());
    truth.emplace_back(values, tests::row_activations(x, f.activation), cols);
    truth.emplace_back(values, tests::tile_activations(x, f.activation), cols);
    truth.emplace_back(values, x, cols);
  }

  size_t row_bytes() const { return format.row_bytes(n_cols); }
  bool has_gemv() const { return quant::kernels(format).gemv; }
  bool has_gemm() const { return quant::kernels(format).gemm; }
  bool has_panel() const { return quant::kernels(format).multiply_panel; }

  // [n_tokens, n_rows]
  std::vector<float> gemv(int first, int n_rows, int token, int n_tokens = 1) const {
    const auto& pack = quant::activation_kernels(format.activation);
    const size_t x_bytes = (pack.row_bytes(n_cols) + 63) / 64 * 64;
    const auto packed = tests::aligned_bytes(x_bytes * n_tokens);
    for (int t = 0; t < n_tokens; ++t)
      pack.pack_row(&x[size_t(token + t) * n_cols], n_cols, packed.get() + t * x_bytes);
    const size_t stride = n_rows + 3;
    std::vector<float> y(stride * n_tokens, 12345.0f);
    const std::vector<std::byte> rows(&w[first * row_bytes()],
                                      &w[first * row_bytes()] + n_rows * row_bytes());
    quant::kernels(format).gemv({rows.data(), row_bytes(), n_rows, n_cols, packed.get(), x_bytes,
                                 n_tokens, y.data(), stride});
    std::vector<float> out;
    for (int t = 0; t < n_tokens; ++t) {
      out.insert(out.end(), &y[t * stride], &y[t * stride] + n_rows);
      CHECK(y[t * stride + n_rows] == 12345.0f);
    }
    return out;
  }

  // [n_tokens, n_rows]
  std::vector<float> gemm(int n_rows, int n_tokens) const {
    return of_tile(quant::kernels(format).gemm, quant::ActivationKind::kF32, n_rows, n_tokens);
  }
  std::vector<float> gemm_few(int n_rows, int n_tokens) const {
    return of_tile(quant::kernels(format).few.gemm, format.activation, n_rows, n_tokens);
  }
  std::vector<float> of_tile(decltype(quant::Kernels::gemm) product, quant::ActivationKind kind,
                             int n_rows, int n_tokens) const {
    const auto& pack = quant::activation_kernels(kind);
    const auto tile = tests::aligned_bytes(pack.tile_bytes(n_cols));
    pack.pack_tile(x.data(), n_cols, n_tokens, n_cols, tile.get());
    const std::vector<std::byte> rows(
        w.begin(), w.begin() + static_cast<std::ptrdiff_t>(n_rows * row_bytes()));
    const size_t stride = n_rows + 3;
    std::vector<float> y(stride * n_tokens, 12345.0f), out;
    product({rows.data(), row_bytes(), n_rows, n_cols, tile.get(), n_tokens, y.data(), stride,
             w.data(), n_rows * row_bytes()});
    for (int t = 0; t < n_tokens; ++t) {
      out.insert(out.end(), &y[t * stride], &y[t * stride] + n_rows);
      CHECK(y[t * stride + n_rows] == 12345.0f);
    }
    return out;
  }

  // Columns come in parts of so many; 0: at once.
  std::vector<float> multiply(int n_rows, int n_tokens, int part = 0) const {
    const auto& pack = quant::activation_kernels(format.activation);
    const auto& k = quant::kernels(format);
    const auto tile = tests::aligned_bytes(pack.tile_bytes(n_cols)),
               panel = tests::aligned_bytes(k.panel_bytes(n_cols));
    pack.pack_tile(x.data(), n_cols, n_tokens, n_cols, tile.get());
    const std::vector<std::byte> rows(
        w.begin(), w.begin() + static_cast<std::ptrdiff_t>(n_rows * row_bytes()));
    std::vector<float> out(size_t(n_tokens) * n_rows + 1);
    out.back() = 12345.0f;
    for (int at = 0, n; at < n_cols; at += n) {
      n = part ? std::min(part, n_cols - at) : n_cols;
      k.expand_panel(&rows[format.row_bytes(at)], row_bytes(), n_rows, n, panel.get());
      k.multiply_panel(panel.get(), n_rows, n, tile.get() + pack.tile_bytes(at), n_tokens,
                       out.data(), n_rows);
    }
    CHECK(out.back() == 12345.0f);
    out.pop_back();
    return out;
  }
};

// Calls check(case) for each format, each width and each instruction set.
template <class F>
void for_each_case(F check) {
  REQUIRE(quant::force_isa("scalar"));
  for (const quant::Format* format : quant::formats()) {
    for (int n_cols : widths(*format)) {
      REQUIRE(quant::force_isa("scalar"));
      const Case c(*format, n_cols);
      for (const auto isa : quant::runnable_isas()) {
        REQUIRE(quant::force_isa(isa));
        CAPTURE(isa);
        CAPTURE(format->name);
        CAPTURE(n_cols);
        check(c);
      }
    }
  }
  REQUIRE(quant::select_isa());
}

// product(n_rows, n_tokens) -> [n_tokens, n_rows]: each number is what it is among all.
template <class F>
void check_beside(F product) {
  const auto all = product(kPanelRows, kTileTokens);
  for (int n = 1; n <= kTileTokens; ++n) {
    const auto few_tokens = product(kPanelRows, n), few_rows = product(n, kTileTokens);
    CHECK(std::memcmp(few_tokens.data(), all.data(), 4 * few_tokens.size()) == 0);
    for (int t = 0; t < kTileTokens; ++t)
      CHECK(std::memcmp(&few_rows[t * n], &all[t * kPanelRows], 4 * n) == 0);
  }
}

}  // namespace

TEST_CASE("products are compared on every instruction set that this machine runs") {
  for (const auto isa : quant::compiled_isas())
    if (std::ranges::find(quant::runnable_isas(), isa) == quant::runnable_isas().end())
      MESSAGE("skipped: this machine cannot run ", isa);
  CHECK(quant::runnable_isas().front() == "scalar");
}

TEST_CASE("row products equal the exact sums") {
  for_each_case([](const Case& c) {
    if (!c.has_gemv()) return;
    for (int t = 0; t < 3; ++t) CHECK(c.truth[0].worst(c.gemv(0, kPanelRows, t).data(), t) < 1e-6);
  });
}

TEST_CASE("a row product does not depend on the rows beside it") {
  for_each_case([](const Case& c) {
    if (!c.has_gemv()) return;
    const auto all = c.gemv(0, kPanelRows, 0);
    for (int n_rows = 1; n_rows < 10; ++n_rows) {
      const auto part = c.gemv(kPanelRows - n_rows, n_rows, 0);
      CHECK(std::memcmp(part.data(), &all[kPanelRows - n_rows], 4 * n_rows) == 0);
    }
  });
}

TEST_CASE("a row product does not depend on numbers in the next row that are not finite") {
  for_each_case([](const Case& c) {
    if (!c.has_gemv()) return;
    Case broken = c;
    std::fill(broken.w.begin() + static_cast<std::ptrdiff_t>(8 * c.row_bytes()), broken.w.end(),
              std::byte{0xff});
    const auto all = broken.gemv(0, kPanelRows, 0), alone = c.gemv(0, 8, 0);
    CHECK(std::memcmp(all.data(), alone.data(), 4 * 8) == 0);
  });
}

TEST_CASE("a row product of several tokens gives each what it gets alone") {
  for_each_case([](const Case& c) {
    if (!c.has_gemv()) return;
    for (const int n_rows : {1, 5, kPanelRows})
      for (const int n_tokens : {2, 3, 5, quant::kRowTokens}) {
        const auto together = c.gemv(0, n_rows, 2, n_tokens);
        for (int t = 0; t < n_tokens; ++t) {
          const auto alone = c.gemv(0, n_rows, 2 + t);
          CHECK(std::memcmp(alone.data(), &together[t * n_rows], 4 * n_rows) == 0);
        }
      }
  });
}

TEST_CASE("panel products equal the exact sums") {
  for_each_case([](const Case& c) {
    if (!c.has_panel()) return;
    const auto out = c.multiply(kPanelRows, kTileTokens);
    for (int t = 0; t < kTileTokens; ++t) CHECK(c.truth[1].worst(&out[t * kPanelRows], t) < 1e-6);
  });
}

TEST_CASE("a panel product does not depend on the other tokens and rows") {
  for_each_case([](const Case& c) {
    if (!c.has_panel()) return;
    check_beside([&](int n_rows, int n_tokens) { return c.multiply(n_rows, n_tokens); });
  });
}

TEST_CASE("a panel product does not depend on the parts that columns come in") {
  for_each_case([](const Case& c) {
    if (!c.has_panel()) return;
    for (const int part : {256, std::max(c.format.block_len, 32)})
      for (const int n_tokens : {3, kTileTokens})
        for (const int n_rows : {5, kPanelRows})
          CHECK(c.multiply(n_rows, n_tokens, part) == c.multiply(n_rows, n_tokens));
  });
}

TEST_CASE("float products equal the exact sums") {
  for_each_case([](const Case& c) {
    if (!c.has_gemm()) return;
    const auto out = c.gemm(kPanelRows, kTileTokens);
    for (int t = 0; t < kTileTokens; ++t) CHECK(c.truth[2].worst(&out[t * kPanelRows], t) < 1e-6);
  });
}

TEST_CASE("a float product does not depend on the other tokens and rows") {
  for_each_case([](const Case& c) {
    if (!c.has_gemm()) return;
    check_beside([&](int n_rows, int n_tokens) { return c.gemm(n_rows, n_tokens); });
  });
}

TEST_CASE("what is not finite in a row or an activation shows in its float products alone") {
  for_each_case([](const Case& c) {
    if (!c.has_gemm()) return;
    const auto before = c.gemm(kPanelRows, 9);
    Case broken = c;
    broken.x[7 * c.n_cols + c.n_cols - 1] = INFINITY;
    std::fill_n(broken.w.begin() + static_cast<std::ptrdiff_t>(5 * c.row_bytes()), c.row_bytes(),
                std::byte{0xff});  // NaN
    const auto after = broken.gemm(kPanelRows, 9);
    for (int t = 0; t < 9; ++t)
      for (int r = 0; r < kPanelRows; ++r) {
        const int i = t * kPanelRows + r;
        CHECK((t == 7 || r == 5 ? !std::isfinite(after[i]) : after[i] == before[i]));
      }
  });
}

TEST_CASE("few tokens get the sums of a panel") {
  for_each_case([](const Case& c) {
    for (const int n_rows : {1, 7, kPanelRows})
      for (int n_tokens = 1; n_tokens <= quant::kernels(c.format).few.max_tokens; ++n_tokens) {
        CAPTURE(n_rows);
        CAPTURE(n_tokens);
        CHECK(c.gemm_few(n_rows, n_tokens) == c.multiply(n_rows, n_tokens));
      }
  });
}

TEST_CASE("what is not finite in an activation shows in its products and in no other token's") {
  REQUIRE(quant::select_isa());
  for (const auto isa : quant::runnable_isas()) {
    REQUIRE(quant::force_isa(isa));
    for (const quant::Format* format : quant::formats()) {
      if (!quant::kernels(*format).multiply_panel) continue;
      Case c(*format, format->block_len > 1 ? format->block_len * 3 : 96);
      const auto before = c.multiply(kPanelRows, 3);
      for (const float bad : {INFINITY, -INFINITY, NAN}) {
        c.x[c.n_cols + 40] = bad;
        const auto out = c.multiply(kPanelRows, 3);
        CAPTURE(isa);
        CAPTURE(format->name);
        for (int r = 0; r < kPanelRows; ++r) CHECK(!std::isfinite(out[kPanelRows + r]));
        CHECK(std::memcmp(&out[0], &before[0], 4 * kPanelRows) == 0);
        CHECK(std::memcmp(&out[2 * kPanelRows], &before[2 * kPanelRows], 4 * kPanelRows) == 0);
        CHECK(!std::isfinite(c.gemv(0, 1, 1)[0]));
      }
    }
  }
  REQUIRE(quant::select_isa());
}

TEST_CASE("zero, one-hot and denormal activations") {
  for (const auto isa : quant::runnable_isas()) {
    REQUIRE(quant::force_isa(isa));
    for (const quant::Format* format : quant::formats()) {
      if (!quant::kernels(*format).multiply_panel) continue;
      Case c(*format, format->block_len > 1 ? format->block_len * 2 : 64);
      CAPTURE(isa);
      CAPTURE(format->name);
      std::vector<float> values(c.n_cols);
      quant::kernels(*format).dequantize(c.w.data(), c.n_cols, values.data());
      for (int hot : {0, 17, c.n_cols - 1}) {
        std::fill(c.x.begin(), c.x.end(), 0.0f);
        c.x[hot] = 1.0f;
        c.x[c.n_cols + hot] = 0x1p-140f;
        const auto out = c.multiply(kPanelRows, 3);
        CHECK(out[0] == doctest::Approx(values[hot]).epsilon(1e-5));
        CHECK(out[kPanelRows] == 0.0f);
        CHECK(out[2 * kPanelRows] == 0.0f);
        CHECK(c.gemv(0, 1, 0)[0] == doctest::Approx(values[hot]).epsilon(1e-5));
        CHECK(std::abs(c.gemv(0, 1, 1)[0]) < 0x1p-120f);  // 16-bit floats: the product itself
      }
    }
  }
  REQUIRE(quant::select_isa());
}
