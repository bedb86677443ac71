// What every encoder owes: it decodes to what is near, its bytes do not depend on the instruction
// set nor on how rows are grouped, and odd rows do not upset it.
#include "quant/encoder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "quant/dispatch.h"

using namespace nibble;

namespace {

std::vector<const quant::Format*> encodable() {
  std::vector<const quant::Format*> found;
  for (const auto* f : quant::formats())
    if (quant::find_encoder(*f)) found.push_back(f);
  return found;
}

std::vector<float> normal_weights(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.02f);
  std::vector<float> x(n);
  for (float& v : x) v = normal(random);
  return x;
}

std::vector<std::byte> encode(const quant::Format& f, std::span<const float> x, int64_t n_cols,
                              const float* importance = nullptr) {
  const int64_t n_rows = static_cast<int64_t>(x.size()) / n_cols;
  std::vector<std::byte> blocks(f.row_bytes(n_cols) * static_cast<size_t>(n_rows));
  quant::find_encoder(f)->encode(x.data(), n_rows, n_cols, importance, blocks.data());
  return blocks;
}

std::vector<float> decode(const quant::Format& f, std::span<const std::byte> blocks, size_t n) {
  std::vector<float> x(n);
  quant::kernels(f).dequantize(blocks.data(), static_cast<int64_t>(n), x.data());
  return x;
}

double mean_square(std::span<const float> x) {
  double sum = 0;
  for (const float v : x) sum += double{v} * v;
  return sum / static_cast<double>(x.size());
}

// Root mean square error over root mean square, of columns with importance above one or of all.
double relative_error(const quant::Format& f, std::span<const float> x, int64_t n_cols,
                      const float* importance = nullptr) {
  const auto got = decode(f, encode(f, x, n_cols, importance), x.size());
  double error = 0, size = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (importance && importance[i % static_cast<size_t>(n_cols)] <= 1) continue;
    error += std::pow(double{got[i]} - x[i], 2);
    size += double{x[i]} * x[i];
  }
  return std::sqrt(error / size);
}

// Levels of a uniform quantizer of b bits within about four sigmas; what a format may cost.
double allowed_error(const quant::Format& f) { return 4.6 * std::exp2(-f.bpw()) + 0.0005; }

}  // namespace

TEST_CASE("normal weights come back within what a format's bits allow") {
  const auto x = normal_weights(64 * 1024, 1);
  for (const auto* f : encodable()) {
    CAPTURE(f->name);
    CHECK(relative_error(*f, x, 1024) < allowed_error(*f));
  }
}

TEST_CASE("importance moves the error away from columns that matter") {
  const auto x = normal_weights(64 * 1024, 2);
  std::vector<float> importance(1024);
  for (size_t c = 0; c < importance.size(); ++c) importance[c] = c % 5 == 0 ? 100.0f : 1.0f;
  for (const auto* f : encodable()) {
    if (f->name == "q8_0" || f->name.starts_with("tq")) continue;
    CAPTURE(f->name);
    const auto blind = decode(*f, encode(*f, x, 1024), x.size());
    double error = 0, size = 0;
    for (size_t i = 0; i < x.size(); i += 1)
      if (i % 1024 % 5 == 0) {
        error += std::pow(double{blind[i]} - x[i], 2);
        size += double{x[i]} * x[i];
      }
    CHECK(relative_error(*f, x, 1024, importance.data()) < 0.98 * std::sqrt(error / size));
  }
}

TEST_CASE("every instruction set writes the same bytes") {
  const auto x = normal_weights(6 * 768, 3);
  std::vector<float> importance(768);
  for (size_t c = 0; c < importance.size(); ++c) importance[c] = 1e-3f + static_cast<float>(c % 7);
  const auto before = quant::isa_name();
  for (const auto* f : encodable()) {
    CAPTURE(f->name);
    REQUIRE(quant::force_isa("scalar").has_value());
    const auto plain = encode(*f, x, 768), weighted = encode(*f, x, 768, importance.data());
    for (const auto isa : quant::runnable_isas()) {
      CAPTURE(isa);
      REQUIRE(quant::force_isa(isa).has_value());
      CHECK(encode(*f, x, 768) == plain);
      CHECK(encode(*f, x, 768, importance.data()) == weighted);
    }
  }
  REQUIRE(quant::force_isa(before).has_value());
}

TEST_CASE("rows encode alone as they do together") {
  const auto x = normal_weights(7 * 768, 4);
  for (const auto* f : encodable()) {
    CAPTURE(f->name);
    const auto together = encode(*f, x, 768);
    for (size_t row = 0; row < 7; ++row) {
      const auto alone = encode(*f, std::span(x).subspan(row * 768, 768), 768);
      CHECK(
          std::ranges::equal(alone, std::span(together).subspan(row * alone.size(), alone.size())));
    }
  }
}

TEST_CASE("zeros, single values, equal values and tiny ones") {
  for (const auto* f : encodable()) {
    CAPTURE(f->name);
    std::vector<float> x(512, 0.0f);
    CHECK(mean_square(decode(*f, encode(*f, x, 512), 512)) == 0);
    for (const float one : {1.0f, -1.0f}) {
      x.assign(512, 0.0f);
      x[300] = one;
      const auto got = decode(*f, encode(*f, x, 512), 512);
      CHECK(std::abs(got[300] - one) < 0.35f);
      CHECK(got[0] == 0);
    }
    for (const float value : {0.5f, -0.5f, 1e-30f, 1e4f}) {
      x.assign(512, value);
      const auto got = decode(*f, encode(*f, x, 512), 512);
      const float allowed = f->bpw() < 3 ? 0.3f : 0.2f;  // grids lack some rows of equal values
      for (const float v : got) REQUIRE(std::abs(v - value) <= allowed * std::abs(value) + 1e-7f);
    }
  }
}

TEST_CASE("what a format can say exactly it keeps") {
  for (const auto* f : encodable()) {
    CAPTURE(f->name);
    const auto x = normal_weights(16 * 512, 5);
    const auto once = decode(*f, encode(*f, x, 512), x.size());
    const double lost = relative_error(*f, x, 512);
    CHECK(relative_error(*f, once, 512) < 0.25 * lost);
  }
}
