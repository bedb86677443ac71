#include "core/ops/moe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/ops/activation.h"
#include "tests/ops/ops_test.h"

using namespace nibble;
using namespace nibble::tests;

namespace {

constexpr int kExperts = 5, kUsed = 2, kEmbd = 256, kFf = 512, kTokens = 75;

const auto silu_gated = [](const float* gate, const float* up, int n, float* out) {
  if (gate)
    activate_gated(Activation::kSilu, gate, up, n, out);
  else
    activate(Activation::kSilu, up, n, out);
};

struct Mixture {
  explicit Mixture(const char* format, bool gated = true, bool biases = false,
                   bool weigh_input = false) {
    for (int e = 0; e < kExperts; ++e) {
      for (auto* list : {&gate, &up})
        list->emplace_back(*quant::find_format(format), kFf, kEmbd, 10 * e + (list == &up));
      down.emplace_back(*quant::find_format(format), kEmbd, kFf, 10 * e + 2);
    }
    for (int e = 0; e < kExperts; ++e) {
      if (gated) gates.push_back(gate[e].matrix);
      ups.push_back(up[e].matrix);
      downs.push_back(down[e].matrix);
    }
    x = random_values(kTokens * kEmbd, 1);
    before = random_values(kTokens * kEmbd, 2);
    weights = random_values(kTokens * kUsed, 3);
    for (int t = 0; t < kTokens; ++t) {
      ids.push_back(t * 7 % 4);  // expert 4 is never taken
      ids.push_back((ids.back() + 1 + t % 3) % 4);
    }
    experts.gate = gates;
    experts.up = ups;
    experts.down = downs;
    experts.weigh_input = weigh_input;
    if (!biases) return;
    gate_bias = random_values(kExperts * kFf, 4);
    up_bias = random_values(kExperts * kFf, 5);
    down_bias = random_values(kExperts * kEmbd, 6);
    experts.gate_bias = gate_bias.data();
    experts.up_bias = up_bias.data();
    experts.down_bias = down_bias.data();
  }

  std::vector<float> run(Phase phase, bool exact, int n_threads, int batch) const {
    ThreadPool pool(n_threads);
    Arena arena = *Arena::create(MatmulScratch::bytes_needed(1, kFf, n_threads) +
                                 MoeScratch::bytes_needed(batch, kEmbd, kFf, kExperts, kUsed));
    MatmulScratch products(arena, 1, kFf, n_threads);
    MoeScratch scratch(arena, batch, kEmbd, kFf, kExperts, kUsed);
    std::vector<float> out = before;
    for (int t = 0; t < kTokens; t += batch) {
      const int n = std::min(batch, kTokens - t);
      const Choice choice{kUsed, ids.data() + t * kUsed, weights.data() + t * kUsed};
      moe({pool, products, phase, exact}, scratch, experts, choice, silu_gated,
          ConstRows(x.data() + t * kEmbd, n, kEmbd, kEmbd),
          {out.data() + t * kEmbd, n, kEmbd, kEmbd}, [] { return true; });
    }
    return out;
  }

  static std::vector<double> times(const TestMatrix& w, const std::vector<double>& v,
                                   const float* bias) {
    std::vector<double> y(w.matrix.n_rows);
    for (int r = 0; r < w.matrix.n_rows; ++r) {
      y[r] = bias ? bias[r] : 0;
      for (int c = 0; c < w.matrix.n_cols; ++c)
        y[r] += double(w.values[size_t(r) * w.matrix.n_cols + c]) * v[c];
    }
    return y;
  }

  // The difference from float64, of token t, as a share of the largest value.
  double error(const std::vector<float>& out, int t) const {
    std::vector<double> wanted(before.begin() + t * kEmbd, before.begin() + (t + 1) * kEmbd);
    for (int j = 0; j < kUsed; ++j) {
      const int e = ids[t * kUsed + j];
      const double weight = weights[t * kUsed + j];
      std::vector<double> in(x.begin() + t * kEmbd, x.begin() + (t + 1) * kEmbd);
      for (double& v : in) v *= experts.weigh_input ? weight : 1;
      std::vector<double> h =
          times(up[e], in, experts.up_bias ? up_bias.data() + e * kFf : nullptr);
      if (!gates.empty()) {
        const std::vector<double> g =
            times(gate[e], in, experts.gate_bias ? gate_bias.data() + e * kFf : nullptr);
        for (int i = 0; i < kFf; ++i) h[i] *= g[i] / (1 + std::exp(-g[i]));
      } else {
        for (double& v : h) v = v / (1 + std::exp(-v));
      }
      const std::vector<double> y =
          times(down[e], h, experts.down_bias ? down_bias.data() + e * kEmbd : nullptr);
      for (int i = 0; i < kEmbd; ++i) wanted[i] += (experts.weigh_input ? 1 : weight) * y[i];
    }
    double worst = 0, largest = 0;
    for (int i = 0; i < kEmbd; ++i) {
      largest = std::max(largest, std::abs(wanted[i]));
      const double off = std::abs(out[t * kEmbd + i] - wanted[i]);
      if (!(off <= worst)) worst = off;
    }
    return worst / largest;
  }

  std::vector<TestMatrix> gate, up, down;
  std::vector<Matrix> gates, ups, downs;
  std::vector<float> gate_bias, up_bias, down_bias, x, before, weights;
  std::vector<int> ids;
  Experts experts;
};

}  // namespace

TEST_CASE("moe: agrees with float64") {
  const Mixture mixtures[] = {Mixture("q8_0"),
                              Mixture("q4_k"),
                              Mixture("f16"),
                              Mixture("q8_0", false),
                              Mixture("f32", true, true),
                              Mixture("f32", true, false, true),
                              Mixture("q8_0", true, true, true)};
  for (const Mixture& m : mixtures) {
    CAPTURE(&m - mixtures);
    for (const Phase phase : {Phase::kPrompt, Phase::kGeneration}) {
      const std::vector<float> exact = m.run(phase, true, 2, kTokens),
                               fast = m.run(phase, false, 2, kTokens);
      for (int t = 0; t < kTokens; t += 9) {
        CHECK(m.error(exact, t) < 1e-5);
        CHECK(m.error(fast, t) < 0.1);  // blocks of very different sizes
      }
    }
  }
}

TEST_CASE("moe: bits do not depend on threads and batch") {
  for (const char* format : {"q4_k", "f32"}) {
    const Mixture m(format, true, true);
    for (const Phase phase : {Phase::kPrompt, Phase::kGeneration}) {
      const std::vector<float> one = m.run(phase, false, 1, 1);
      for (const int n_threads : {1, 3})
        for (const int batch : {1, 7, 64, 512})
          CHECK(same_bits(one, m.run(phase, false, n_threads, batch)));
    }
  }
}
