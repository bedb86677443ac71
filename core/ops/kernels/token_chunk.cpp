// Attention of one token's query heads to one chunk of the keys and values that they share; both
// are read once for up to kHeads of them. Scores: head dimension in lanes, the sums across lanes of
// kLanes keys made together.
#include <utility>

#include "core/ops/kernels/functions.h"
#include "core/ops/kernels/kv_rows.h"

namespace nibble::kernels::NIBBLE_ISA {
namespace {

constexpr int kHeads = 4;    // query heads of a register tile
constexpr int kVectors = 4;  // of the value's dimension in a register tile

// Lane i: a[i] + a[i ^ S] where i has not bit S, b[i] + b[i ^ S] where it has.
template <int S, int... L>
F pair_sums(F a, F b, std::integer_sequence<int, L...>) {
  return __builtin_shufflevector(a, b, (L & S ? L + kLanes : L)...) +
         __builtin_shufflevector(a, b, (L & S ? (L ^ S) + kLanes : L ^ S)...);
}
// Lane i: the sum of all lanes of x[i].
template <int S = kLanes / 2>
F sums_of(F* x) {
  for (int i = 0; i < S; ++i)
    x[i] = pair_sums<S>(x[i], x[i + S], std::make_integer_sequence<int, kLanes>());
  if constexpr (S > 1) return sums_of<S / 2>(x);
  return x[0];
}

// Asks for a row that is wanted soon: pages of a cache are small, and the processor's own prefetch
// ends with them.
void prefetch_row(const std::byte* row, size_t n_bytes) {
  for (size_t i = 0; i < n_bytes; i += 64) __builtin_prefetch(row + i, 0, 2);
}

// scores[h, key .. key + kLanes) for N heads.
template <class Keys, int N>
void multiply_keys(const TokenChunk& c, int head, int key, float* scores) {
  F sums[N][kLanes] = {};
  const int d = c.d_k, n = c.n_keys - key < kLanes ? c.n_keys - key : kLanes;
  const float* q = c.q + static_cast<size_t>(head) * d;
  for (int k = 0; k < n; ++k) {
    const std::byte* row = c.keys + (key + k) * c.key_bytes;
    if (head == 0) prefetch_row(c.values + (key + k) * c.value_bytes, c.value_bytes);
    F sum[N] = {};
    int i = 0;
    for (; i + kLanes <= d; i += kLanes) {
      const F x = Keys::lanes(row, i);
      for (int h = 0; h < N; ++h) sum[h] = fma(x, load(q + h * d + i), sum[h]);
    }
    for (; i < d; ++i)
      for (int h = 0; h < N; ++h) sum[h][0] += Keys::one(row, i) * q[h * d + i];
    for (int h = 0; h < N; ++h) sums[h][k] = sum[h];
  }
  for (int h = 0; h < N; ++h) store(scores + h * kChunkKeys + key, sums_of(sums[h]));
}
template <class Keys, int N>
void multiply_all_keys(const TokenChunk& c, int head, float* scores) {
  for (int key = 0; key < c.n_keys; key += kLanes) multiply_keys<Keys, N>(c, head, key, scores);
}

// Scores of one head -> weights; out[0] = max, out[1] = sum.
void soften(const TokenChunk& c, int head, float* scores, float* out) {
  float max = -3e38f;
  for (int key = 0; key < c.n_keys; key += kLanes) {
    F s = load(scores + key);
    if (c.slopes)
      for (int i = 0; i < kLanes; ++i)
        s[i] += c.slopes[head] * static_cast<float>(c.distance + key + i);
    if (c.softcap > 0) s = c.softcap * tanh(s / c.softcap);
    store(scores + key, s);
    for (int i = key; i < key + kLanes && i < c.n_keys; ++i)
      max = scores[i] > max ? scores[i] : max;
  }
  F sum = {};
  for (int key = 0; key < c.n_keys; key += kLanes) {
    for (int i = c.n_keys; i < key + kLanes; ++i) scores[i] = -__builtin_inff();
    const F weight = exp(load(scores + key) - max);
    store(scores + key, weight);
    sum += weight;
  }
  out[0] = max;
  out[1] = sum_lanes(sum);
}

// out[h, i .. i + V * kLanes) = weights . v for N heads.
template <class Values, int N, int V>
void add_values(const TokenChunk& c, int head, int i, const float* weights, float* out) {
  F sums[N][V] = {};
  for (int key = 0; key < c.n_keys; ++key) {
    const std::byte* row = c.values + key * c.value_bytes;
    if (head == 0 && i == 0) prefetch_row(c.keys + (kChunkKeys + key) * c.key_bytes, c.key_bytes);
    for (int v = 0; v < V; ++v) {
      const F x = Values::lanes(row, i + v * kLanes);
      for (int h = 0; h < N; ++h)
        sums[h][v] = fma(all(weights[h * kChunkKeys + key]), x, sums[h][v]);
    }
  }
  for (int h = 0; h < N; ++h)
    for (int v = 0; v < V; ++v) store(out + h * c.out_stride + i + v * kLanes, sums[h][v]);
}
template <class Values, int N>
void add_last_values(const TokenChunk& c, int i, const float* weights, float* out) {
  for (; i < c.d_v; ++i)
    for (int h = 0; h < N; ++h) {
      float sum = 0;
      for (int key = 0; key < c.n_keys; ++key)
        sum += weights[h * kChunkKeys + key] * Values::one(c.values + key * c.value_bytes, i);
      out[h * c.out_stride + i] = sum;
    }
}
template <class Values, int N>
void add_all_values(const TokenChunk& c, int head, const float* weights, float* out) {
  int i = 0;
  for (; i + kVectors * kLanes <= c.d_v; i += kVectors * kLanes)
    add_values<Values, N, kVectors>(c, head, i, weights, out);
  for (; i + kLanes <= c.d_v; i += kLanes) add_values<Values, N, 1>(c, head, i, weights, out);
  add_last_values<Values, N>(c, i, weights, out);
}

// For N heads, by KvFormat.
template <int N>
constexpr void (*kMultiply[])(const TokenChunk&, int, float*) = {
    multiply_all_keys<F32Rows, N>, multiply_all_keys<F16Rows, N>, multiply_all_keys<Bf16Rows, N>,
    multiply_all_keys<Q8Rows, N>, multiply_all_keys<Q4Rows, N>};
template <int N>
constexpr void (*kAdd[])(const TokenChunk&, int, const float*, float*) = {
    add_all_values<F32Rows, N>, add_all_values<F16Rows, N>, add_all_values<Bf16Rows, N>,
    add_all_values<Q8Rows, N>, add_all_values<Q4Rows, N>};

template <int N>
void attend(const TokenChunk& c, int head) {
  alignas(64) float weights[N * kChunkKeys];
  float* out = c.out + head * c.out_stride;
  kMultiply<N>[c.key_format](c, head, weights);
  for (int h = 0; h < N; ++h) soften(c, head + h, weights + h * kChunkKeys, out + h * c.out_stride);
  kAdd<N>[c.value_format](c, head, weights, out + 2);
}

}  // namespace

void token_chunk(const TokenChunk& c) {
  int head = 0;
  for (; head + kHeads <= c.n_head; head += kHeads) attend<kHeads>(c, head);
  for (; head + 2 <= c.n_head; head += 2) attend<2>(c, head);
  if (head < c.n_head) attend<1>(c, head);
}

}  // namespace nibble::kernels::NIBBLE_ISA
