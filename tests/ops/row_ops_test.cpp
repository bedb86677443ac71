// Norms, activations and rotary embedding against their formulas in float64.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "core/ops/activation.h"
#include "core/ops/norm.h"
#include "core/ops/rope.h"
#include "tests/ops/ops_test.h"

using namespace nibble;
using namespace nibble::tests;

TEST_CASE("norm: root mean square") {
  on_each_isa([] {
    for (const int n : {1, 7, 64, 576, 1000}) {
      const std::vector<float> x = random_values(n, 1, 3.0f), weight = random_values(n, 2);
      double squares = 0;
      for (const float v : x) squares += double(v) * v;
      const double scale = 1 / std::sqrt(squares / n + 1e-5);
      std::vector<float> out(n), in_place = x, bare(n);
      rms_norm(x.data(), weight.data(), n, 1e-5f, out.data());
      rms_norm(in_place.data(), weight.data(), n, 1e-5f, in_place.data());
      rms_norm(x.data(), nullptr, n, 1e-5f, bare.data());
      CHECK(same_bits(out, in_place));
      for (int i = 0; i < n; ++i) {
        CHECK(out[i] == doctest::Approx(x[i] * scale * weight[i]).epsilon(1e-6));
        CHECK(bare[i] == doctest::Approx(x[i] * scale).epsilon(1e-6));
      }
    }
  });
}

TEST_CASE("norm: mean and variance, also of values far from zero") {
  on_each_isa([] {
    for (const int n : {2, 7, 64, 577}) {
      std::vector<float> x = random_values(n, 1), weight = random_values(n, 2),
                         bias = random_values(n, 3);
      for (float& v : x) v += 100;
      double mean = 0, squares = 0;
      for (const float v : x) mean += double(v) / n;
      for (const float v : x) squares += (v - mean) * (v - mean);
      const double scale = 1 / std::sqrt(squares / n + 1e-5);
      std::vector<float> out(n), bare(n);
      layer_norm(x.data(), weight.data(), bias.data(), n, 1e-5f, out.data());
      layer_norm(x.data(), nullptr, nullptr, n, 1e-5f, bare.data());
      for (int i = 0; i < n; ++i) {
        CHECK(std::abs(out[i] - ((x[i] - mean) * scale * weight[i] + bias[i])) < 2e-5);
        CHECK(std::abs(bare[i] - (x[i] - mean) * scale) < 2e-5);
      }
    }
  });
}

TEST_CASE("activations: formulas over the whole range, ends included") {
  on_each_isa([] {
    std::vector<float> x;
    for (float v = -120; v <= 120; v += 0.0137f) x.push_back(v);
    x.insert(x.end(), {0.0f, -0.0f, 1e-30f, -1e-30f, 3e38f, -3e38f});
    const int n = static_cast<int>(x.size());
    const double sqrt2_over_pi = std::sqrt(2 / std::numbers::pi);
    const auto exactly = [&](Activation f, double v) {
      if (f == Activation::kSilu) return v / (1 + std::exp(-v));
      if (f == Activation::kGeluTanh)
        return v / 2 * (1 + std::tanh(sqrt2_over_pi * (v + 0.044715 * v * v * v)));
      if (f == Activation::kGeluErf) return v / 2 * std::erfc(-v / std::numbers::sqrt2);
      return std::max(v, 0.0);
    };
    for (const Activation f :
         {Activation::kSilu, Activation::kGeluTanh, Activation::kGeluErf, Activation::kRelu}) {
      std::vector<float> out(n), gated(n);
      activate(f, x.data(), n, out.data());
      const std::vector<float> up = random_values(n, 5);
      activate_gated(f, x.data(), up.data(), n, gated.data());
      for (int i = 0; i < n; ++i) {
        const double wanted = exactly(f, x[i]);
        CHECK(std::abs(out[i] - wanted) <=
              1e-6 * std::max(std::abs(wanted), std::min(1.0, std::abs(double(x[i])))));
        CHECK(gated[i] == out[i] * up[i]);
      }
    }
  });
}

TEST_CASE("softcap: never above the cap, and the identity near zero") {
  on_each_isa([] {
    std::vector<float> x = {-1e9f, -50, -1, -1e-4f, 0, 1e-4f, 1, 29, 1e9f};
    const std::vector<float> before = x;
    softcap(x.data(), static_cast<int>(x.size()), 30);
    for (size_t i = 0; i < x.size(); ++i)
      CHECK(std::abs(x[i] - 30 * std::tanh(before[i] / 30.0)) <= 3e-6 * std::abs(double(x[i])));
  });
}

TEST_CASE("rope: both orders of pairs, a part of the head, a magnitude") {
  on_each_isa([] {
    const int d_head = 24, n_head = 3, n_rot = 16, first = 4;
    for (const RopePairs pairs : {RopePairs::kAdjacent, RopePairs::kHalves}) {
      Rope rope{pairs, n_rot, first, {}, 1.25f};
      for (int i = 0; i < n_rot / 2; ++i)
        rope.inv_freq.push_back(std::pow(10000.0, -2.0 * i / n_rot));
      for (const int position : {0, 1, 777, 100000}) {
        const std::vector<float> x = random_values(n_head * d_head, 6);
        std::vector<float> got = x, table(n_rot);
        rope_table(rope, position, table.data());
        rope_rotate(rope, table.data(), got.data(), n_head, d_head);
        std::vector<double> wanted(x.begin(), x.end());
        for (int h = 0; h < n_head; ++h)
          for (int i = 0; i < n_rot / 2; ++i) {
            const int a = h * d_head + first + (pairs == RopePairs::kAdjacent ? 2 * i : i);
            const int b = pairs == RopePairs::kAdjacent ? a + 1 : a + n_rot / 2;
            const double c = std::cos(position * rope.inv_freq[i]),
                         s = std::sin(position * rope.inv_freq[i]);
            wanted[a] = 1.25 * (x[a] * c - x[b] * s);
            wanted[b] = 1.25 * (x[a] * s + x[b] * c);
          }
        for (size_t i = 0; i < x.size(); ++i) CHECK(std::abs(got[i] - wanted[i]) < 1e-6);
      }
    }
  });
}
