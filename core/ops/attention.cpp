#include "core/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/assert.h"
#include "core/ops/half.h"

namespace nibble {
namespace {

void store_values(const KvLayer& kv, const float* from, int n, std::byte* to) {
  if (kv.format == KvFormat::kF32) {
    std::memcpy(to, from, n * sizeof(float));
    return;
  }
  auto* half = reinterpret_cast<uint16_t*>(to);
  for (int i = 0; i < n; ++i) half[i] = float_to_half(from[i]);
}

float load_value(const KvLayer& kv, const std::byte* from, int i) {
  if (kv.format == KvFormat::kF32) return reinterpret_cast<const float*>(from)[i];
  return half_to_float(reinterpret_cast<const uint16_t*>(from)[i]);
}

int first_visible(const AttentionOptions& options, int position) {
  int first = 0;
  if (options.window > 0) first = std::max(first, position - options.window + 1);
  if (options.chunk > 0) first = std::max(first, position / options.chunk * options.chunk);
  return first;
}

}  // namespace

void kv_store(const KvLayer& kv, int position, const float* k, const float* v) {
  const int slot = position % kv.capacity;
  for (int h = 0; h < kv.n_head_kv; ++h) {
    store_values(kv, k + static_cast<size_t>(h) * kv.d_k, kv.d_k, kv.key(h, slot));
    if (!kv.values_in_keys)
      store_values(kv, v + static_cast<size_t>(h) * kv.d_v, kv.d_v, kv.value(h, slot));
  }
}

size_t AttentionScratch::bytes_needed(int, int, int, int d_v, int, int n_threads) {
  return n_threads * Arena::aligned(d_v * sizeof(float));
}

AttentionScratch::AttentionScratch(Arena& arena, int, int, int, int d_v, int, int n_threads)
    : own_bytes_(Arena::aligned(d_v * sizeof(float))), n_threads_(n_threads) {
  own_ = arena.take_bytes(n_threads * own_bytes_);
}

// One call of attention().
class AttentionRun {
 public:
  AttentionRun(const AttentionScratch& scratch, const AttentionOptions& options, const KvLayer& kv)
      : scratch_(scratch), options_(options), kv_(kv), group_(options.n_head / kv.n_head_kv) {}

  // One query head of one token: the state (max, sum, weighted values) runs over the chunks in
  // order.
  void attend(int head, int position, const float* q, float* out, int thread) const {
    float* weighted = reinterpret_cast<float*>(scratch_.own_ + thread * scratch_.own_bytes_);
    float max = -INFINITY, sum = 0;
    std::fill(weighted, weighted + kv_.d_v, 0.0f);
    const int first = first_visible(options_, position);
    for (int chunk = first / kKvChunk * kKvChunk; chunk <= position; chunk += kKvChunk) {
      const int begin = std::max(chunk, first), end = std::min(chunk + kKvChunk, position + 1);
      float scores[kKvChunk];
      float chunk_max = max;
      for (int p = begin; p < end; ++p)
        chunk_max = std::max(chunk_max, scores[p - begin] = score(head, position, p, q));
      const float keep = std::exp(max - chunk_max);
      max = chunk_max;
      sum *= keep;
      for (int i = 0; i < kv_.d_v; ++i) weighted[i] *= keep;
      for (int p = begin; p < end; ++p) {
        const float weight = std::exp(scores[p - begin] - max);
        sum += weight;
        const std::byte* value = kv_.value(head / group_, p % kv_.capacity);
        for (int i = 0; i < kv_.d_v; ++i) weighted[i] += weight * load_value(kv_, value, i);
      }
    }
    if (options_.sinks) {
      const float with_sink = std::max(max, options_.sinks[head]), keep = std::exp(max - with_sink);
      sum = sum * keep + std::exp(options_.sinks[head] - with_sink);
      for (int i = 0; i < kv_.d_v; ++i) weighted[i] *= keep;
    }
    for (int i = 0; i < kv_.d_v; ++i) out[i] = weighted[i] / sum;
  }

 private:
  float score(int head, int position, int key_position, const float* q) const {
    const std::byte* key = kv_.key(head / group_, key_position % kv_.capacity);
    float dot = 0;
    for (int i = 0; i < kv_.d_k; ++i) dot += q[i] * load_value(kv_, key, i);
    dot *= options_.scale;
    if (options_.alibi_slopes)
      dot += options_.alibi_slopes[head] * static_cast<float>(key_position - position);
    return options_.softcap > 0 ? options_.softcap * std::tanh(dot / options_.softcap) : dot;
  }

  const AttentionScratch& scratch_;
  const AttentionOptions& options_;
  const KvLayer& kv_;
  const int group_;
};

void attention(ThreadPool& pool, AttentionScratch& scratch, const AttentionOptions& options,
               const KvLayer& kv, Phase, int first_position, ConstRows q, Rows out) {
  NIBBLE_ASSERT(options.n_head % kv.n_head_kv == 0 && q.cols == options.n_head * kv.d_k);
  NIBBLE_ASSERT(out.cols == options.n_head * kv.d_v && out.rows == q.rows);
  const AttentionRun run(scratch, options, kv);
  pool.run(q.rows * options.n_head, [&](int i, int thread) {
    const int t = i / options.n_head, head = i % options.n_head;
    run.attend(head, first_position + t, q.row(t) + head * kv.d_k, out.row(t) + head * kv.d_v,
               thread);
  });
}

}  // namespace nibble
