// The attention's half of a layer: norm > queries, keys, values > norms of heads, rotation, cache >
// attention.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/models/decoder.h"
#include "core/models/norms.h"

namespace nibble {
namespace {

// Scores in one piece of a prompt's attention: about 20 ms of one core at 128 values a head, so
// that an interrupt is seen soon.
constexpr int64_t kPieceScores = int64_t{1} << 24;

}  // namespace

// The attention's input for token t.
void Decoder::norm_input(int i, int t, float* out) const {
  const BlockOptions& o = blocks_[i];
  const LayerWeights& w = w_.layers[i];
  const Norm& norm = w.attn_norm_2.weight ? w.attn_norm_2 : w.attn_norm;
  const float* row = residual_.data() + static_cast<size_t>(t) * h_.n_embd;
  if (o.pre_norm)
    apply_norm(o.norm, o.eps, norm, row, h_.n_embd, out);
  else
    std::memcpy(out, row, sizeof(float) * h_.n_embd);
}

void Decoder::project_latent(int i, const Batch& b, const KvLayer& kv) {
  const auto x = [&](int t, float* out) { norm_input(i, t, out); };
  const Rows queries{qkv_.data(), b.n, h_.n_head * h_.d_k, size_t(n_qkv_)};
  latent_->project(w_.layers[i], b.n, x, rope_, tables_.data(), kv, b.first_position, queries);
}

void Decoder::project_qkv(int i, const Batch& b) {
  const LayerWeights& w = w_.layers[i];
  const auto x = [&](int t, float* out) { norm_input(i, t, out); };
  const int n_q = h_.n_head * h_.d_k, n_k = h_.n_head_kv * h_.d_k, n_v = h_.n_head_kv * h_.d_v;
  const Rows qkv{qkv_.data(), b.n, n_qkv_, size_t(n_qkv_)};
  if (w.attn_qkv) {
    const Product fused = product_of(w.attn_qkv, qkv);
    products_->run(b.n, h_.n_embd, x, std::span(&fused, 1));
    return;
  }
  const Product split[] = {product_of(w.attn_q, columns(qkv, 0, n_q)),
                           product_of(w.attn_k, columns(qkv, n_q, n_k)),
                           product_of(w.attn_v, columns(qkv, n_q + n_k, n_v))};
  products_->run(b.n, h_.n_embd, x, split);
}

// KV groups (queries, key, value of each) -> all queries, all keys, all values.
void Decoder::ungroup(float* row, float* scratch) const {
  const int d = h_.d_k, per_kv = h_.n_head / h_.n_head_kv;
  std::memcpy(scratch, row, sizeof(float) * n_qkv_);
  float* k = row + h_.n_head * d;
  float* v = k + h_.n_head_kv * d;
  for (int g = 0; g < h_.n_head_kv; ++g) {
    const float* group = scratch + static_cast<size_t>(g) * (per_kv + 2) * d;
    std::memcpy(row + static_cast<size_t>(g) * per_kv * d, group, sizeof(float) * per_kv * d);
    std::memcpy(k + g * d, group + per_kv * d, sizeof(float) * d);
    std::memcpy(v + g * d, group + (per_kv + 1) * d, sizeof(float) * d);
  }
}

void Decoder::normalize_heads(const BlockOptions& o, const LayerWeights& w, float* q,
                              float* k) const {
  const int d = h_.d_k;
  const auto each_head = [&](float* x, int n_head, const Norm& norm, int weight_step) {
    for (int i = 0; i < n_head; ++i) {
      const Norm head{norm.weight ? norm.weight + i * weight_step : nullptr, nullptr};
      const NormKind kind = o.qk_norm == QkNorm::kHeadLayer ? NormKind::kLayer : NormKind::kRms;
      apply_norm(kind, o.eps, head, x + i * d, d, x + i * d);
    }
  };
  if (o.qk_norm == QkNorm::kProjection) {
    rms_norm(q, w.attn_q_norm.weight, h_.n_head * d, o.eps, q);
    rms_norm(k, w.attn_k_norm.weight, h_.n_head_kv * d, o.eps, k);
    return;
  }
  const int step = o.qk_norm == QkNorm::kHeadLayer ? d : 0;
  each_head(q, h_.n_head, w.attn_q_norm, step);
  each_head(k, h_.n_head_kv, w.attn_k_norm, step);
}

// Queries stay in their row of qkv, finished; keys and values go to the cache.
void Decoder::store_token(int i, const Batch& b, const KvLayer& kv, int t, int thread) {
  const BlockOptions& o = blocks_[i];
  const LayerWeights& w = w_.layers[i];
  float* q = qkv_.data() + static_cast<size_t>(t) * n_qkv_;
  float* k = q + h_.n_head * h_.d_k;
  float* v = k + h_.n_head_kv * h_.d_k;
  if (h_.grouped_qkv && w.attn_qkv)
    ungroup(q, ungrouped_.data() + static_cast<size_t>(thread) * n_qkv_);
  if (o.clamp_kqv > 0)
    for (int j = 0; j < n_qkv_; ++j) q[j] = std::clamp(q[j], -o.clamp_kqv, o.clamp_kqv);
  if (o.qk_norm != QkNorm::kNone && o.qk_norm != QkNorm::kAfterRope) normalize_heads(o, w, q, k);
  if (o.rope) {
    const Rope& rope = o.swa_rope ? rope_swa_ : rope_;
    const float* table = (o.swa_rope ? tables_swa_ : tables_).data() + size_t(t) * rope.n_rot;
    rope_rotate(rope, table, q, h_.n_head, h_.d_k);
    rope_rotate(rope, table, k, h_.n_head_kv, h_.d_k);
  }
  if (o.qk_norm == QkNorm::kAfterRope) normalize_heads(o, w, q, k);
  const int position = b.first_position + t;
  if (o.temperature) {
    const float turns = std::floor((position + h_.temperature_offset) / h_.temperature_floor);
    const float scale = std::log(turns + 1) * h_.temperature_beta + 1;
    for (int j = 0; j < h_.n_head * h_.d_k; ++j) q[j] *= scale;
  }
  kv_store(kv, position, k, v);
}

AttentionOptions Decoder::attention_options(int i) const {
  const BlockOptions& o = blocks_[i];
  return {.n_head = h_.n_head,
          .scale = o.scale,
          .softcap = o.softcap,
          .window = o.window,
          .chunk = o.chunk,
          .sinks = w_.layers[i].attn_sinks.weight,
          .alibi_slopes = o.alibi ? alibi_.data() : nullptr};
}

// Tokens from b.from on; their outputs stand at the beginning of context_.
void Decoder::attend(int i, const Batch& b, const KvLayer& kv) {
  const AttentionOptions options = attention_options(i);
  const int d_out = h_.n_head * h_.d_v;
  const int64_t scores = int64_t{h_.n_head} * (b.first_position + b.n);
  const int step =
      static_cast<int>(std::clamp<int64_t>(kPieceScores / scores, 16, options_.n_batch));
  for (int t = b.from; t < b.n && !(t > b.from && products_->ask()); t += step) {
    const int n = std::min(step, b.n - t);
    const ConstRows q(qkv_.data() + static_cast<size_t>(t) * n_qkv_, n, h_.n_head * h_.d_k, n_qkv_);
    const Rows out{context_.data() + size_t(t - b.from) * d_out, n, d_out, size_t(d_out)};
    attention(*pool_, *attention_scratch_, options, kv, b.phase, b.first_position + t, q, out);
  }
}

}  // namespace nibble
