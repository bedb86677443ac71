// Norm, activations and rotation of one row.
#include <utility>

#include "core/ops/kernels/functions.h"
#include "core/ops/kernels/math.h"

namespace nibble::kernels::NIBBLE_ISA {
namespace {

F silu(F x) { return x * sigmoid(x); }
// (1 + tanh u) / 2 = sigmoid(2u): without the cancellation of 1 + tanh.
F gelu_tanh(F x) { return x * sigmoid(1.59576912f * fma(0.044715f * x * x, x, x)); }
F relu(F x) { return x > all(0) ? x : all(0); }

// Pairs of lanes (a, b) by pairs (cos, sin): a cos - b sin, b cos + a sin.
template <int... L>
F rotate_pairs(F table, F x, std::integer_sequence<int, L...>) {
  const F c = __builtin_shufflevector(table, table, (L & ~1)...);
  const F s = __builtin_shufflevector(table, table, (L | 1)...);
  const F other = __builtin_shufflevector(x, x, (L ^ 1)...);
  const F sign = {(L & 1 ? 1.0f : -1.0f)...};
  return x * c + other * (s * sign);
}
F rotate_pairs(F table, F x) {
  return rotate_pairs(table, x, std::make_integer_sequence<int, kLanes>());
}

template <class Function>
void map_row(const float* x, const float* up, int n, float* out, Function f) {
  map_lanes(n, [&](int i, int count) {
    const F y = f(load_n(x + i, count));
    store_n(out + i, up ? y * load_n(up + i, count) : y, count);
  });
}

}  // namespace

void rms_norm(const float* x, const float* weight, int n, float eps, float* out) {
  F sums[4] = {};
  int i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes)
    for (int k = 0; k < 4; ++k) {
      const F v = load(x + i + k * kLanes);
      sums[k] = fma(v, v, sums[k]);
    }
  map_lanes(n - i, [&](int j, int count) {
    const F v = load_n(x + i + j, count);
    sums[0] = fma(v, v, sums[0]);
  });
  const float mean = sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3])) / static_cast<float>(n);
  const float scale = 1.0f / __builtin_sqrtf(mean + eps);
  map_lanes(n, [&](int j, int count) {
    const F y = load_n(x + j, count) * scale;
    store_n(out + j, weight ? y * load_n(weight + j, count) : y, count);
  });
}

void activate_gated(Activation f, const float* gate, const float* up, int n, float* out) {
  if (f == Activation::kSilu) map_row(gate, up, n, out, silu);
  if (f == Activation::kGeluTanh) map_row(gate, up, n, out, gelu_tanh);
  if (f == Activation::kRelu) map_row(gate, up, n, out, relu);
  if (f == Activation::kGeluErf)
    for (int i = 0; i < n; ++i) {
      const float y = 0.5f * gate[i] * __builtin_erfcf(-0.70710678f * gate[i]);
      out[i] = up ? y * up[i] : y;
    }
}

void activate(Activation f, const float* x, int n, float* out) {
  NIBBLE_ISA::activate_gated(f, x, nullptr, n, out);
}

void softcap(float* x, int n, float cap) {
  map_lanes(
      n, [&](int i, int count) { store_n(x + i, cap * tanh(load_n(x + i, count) / cap), count); });
}

bool all_finite(const float* x, int n) {
  F wild = {};  // x - x: 0, or NaN where x is no finite number
  map_lanes(n, [&](int i, int count) {
    const F v = load_n(x + i, count);
    wild += v - v;
  });
  return sum_lanes(wild) == 0;
}

// (x[2i], x[2i + 1]) by cos table[2i], sin table[2i + 1].
void rotate_adjacent(const float* table, float* x, int n_pairs) {
  map_lanes(2 * n_pairs, [&](int i, int count) {
    store_n(x + i, rotate_pairs(load_n(table + i, count), load_n(x + i, count)), count);
  });
}

// (x[i], x[n_pairs + i]) by cos table[i], sin table[n_pairs + i].
void rotate_halves(const float* table, float* x, int n_pairs) {
  map_lanes(n_pairs, [&](int i, int count) {
    const F c = load_n(table + i, count), s = load_n(table + n_pairs + i, count);
    const F a = load_n(x + i, count), b = load_n(x + n_pairs + i, count);
    store_n(x + i, a * c - b * s, count);
    store_n(x + n_pairs + i, a * s + b * c, count);
  });
}

void add_rows(const float* sums, const float* bias, float* out, int n, bool add) {
  map_lanes(n, [&](int i, int count) {
    F y = load_n(sums + i, count);
    if (bias) y += load_n(bias + i, count);
    store_n(out + i, add ? load_n(out + i, count) + y : y, count);
  });
}

}  // namespace nibble::kernels::NIBBLE_ISA
