// See latent_attention.h.
#include "core/models/latent_attention.h"

#include <algorithm>
#include <cstring>

#include "core/ops/norm.h"

namespace nibble {
namespace {

int query_cols(const Hparams& h) {
  return h.n_head * std::max(h.mla.d_nope + h.mla.d_rope, h.mla.d_v);
}

}  // namespace

size_t LatentAttention::bytes_needed(const Hparams& h, int max_tokens) {
  const size_t n = max_tokens * sizeof(float);
  return Arena::aligned(n * h.mla.q_lora) + Arena::aligned(n * query_cols(h)) +
         Arena::aligned(n * (h.mla.kv_lora + h.mla.d_rope));
}

LatentAttention::LatentAttention(Arena& arena, ThreadPool& pool, Products& products,
                                 const Hparams& h, int max_tokens)
    : pool_(pool), products_(products), h_(h) {
  const size_t n = max_tokens;
  q_a_ = arena.take<float>(n * h.mla.q_lora);
  q_ = arena.take<float>(n * query_cols(h));
  kv_a_ = arena.take<float>(n * (h.mla.kv_lora + h.mla.d_rope));
}

void LatentAttention::queries(const LayerWeights& layer, int n_tokens, RowSource x) {
  const MlaHparams& m = h_.mla;
  const int n_q = h_.n_head * (m.d_nope + m.d_rope), n_kv = m.kv_lora + m.d_rope;
  const Rows q{q_.data(), n_tokens, n_q, size_t(n_q)};
  const Rows kv_a{kv_a_.data(), n_tokens, n_kv, size_t(n_kv)};
  const Rows q_a{q_a_.data(), n_tokens, m.q_lora, size_t(m.q_lora)};
  const bool compressed = static_cast<bool>(layer.attn_q_a);
  const Product first[] = {
      product_of(layer.attn_kv_a_mqa, kv_a),
      compressed ? product_of(layer.attn_q_a, q_a) : product_of(layer.attn_q, q)};
  products_.run(n_tokens, h_.n_embd, x, first);
  if (!compressed) return;
  const auto normed = [&](int t, float* out) {
    rms_norm(q_a.row(t), layer.attn_q_a_norm.weight, m.q_lora, m.eps, out);
  };
  const Product second = product_of(layer.attn_q_b, q);
  products_.run(n_tokens, m.q_lora, normed, std::span(&second, 1));
}

void LatentAttention::project(const LayerWeights& layer, int n_tokens, RowSource x,
                              const Rope& rope, const float* tables, const KvLayer& kv,
                              int first_position, Rows out) {
  const MlaHparams& m = h_.mla;
  queries(layer, n_tokens, x);
  if (products_.stopped()) return;
  const int d_q = m.d_nope + m.d_rope, d_k = m.kv_lora + m.d_rope;
  const size_t q_stride = size_t(h_.n_head) * d_q;
  for (int h = 0; h < h_.n_head; ++h) {  // q' = k_b^T q_nope
    const Product absorb{&layer.attn_k_b.w[h], nullptr, columns(out, h * d_k, m.kv_lora), false};
    products_.run(ConstRows(q_.data() + h * d_q, n_tokens, m.d_nope, q_stride),
                  std::span(&absorb, 1));
  }
  pool_.run(n_tokens, [&](int t, int) {
    float* q = out.row(t);
    const float* from = q_.data() + t * q_stride + m.d_nope;
    for (int h = 0; h < h_.n_head; ++h)
      std::memcpy(q + size_t(h) * d_k + m.kv_lora, from + size_t(h) * d_q,
                  sizeof(float) * m.d_rope);
    const float* table = tables + size_t(t) * rope.n_rot;
    rope_rotate(rope, table, q, h_.n_head, d_k);
    float* key = kv_a_.data() + size_t(t) * d_k;
    rms_norm(key, layer.attn_kv_a_norm.weight, m.kv_lora, m.eps, key);
    rope_rotate(rope, table, key, 1, d_k);
    kv_store(kv, first_position + t, key, nullptr);
  });
}

Rows LatentAttention::expand(const LayerWeights& layer, ConstRows context) {
  const MlaHparams& m = h_.mla;
  const Rows out{q_.data(), context.rows, h_.n_head * m.d_v, size_t(h_.n_head) * m.d_v};
  for (int h = 0; h < h_.n_head; ++h) {
    const Product values{&layer.attn_v_b.w[h], nullptr, columns(out, h * m.d_v, m.d_v), false};
    products_.run(
        ConstRows(context.data + size_t(h) * m.kv_lora, context.rows, m.kv_lora, context.stride),
        std::span(&values, 1));
  }
  return out;
}

}  // namespace nibble
