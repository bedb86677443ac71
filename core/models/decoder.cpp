// One layer: attention's half (decoder_attention.cpp) > output > norm > feed-forward, each optional
// as BlockOptions say. Prompt tokens are independent of each other in every step but attention, so
// a batch is rows.
#include "core/models/decoder.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "core/base/assert.h"
#include "core/models/norms.h"
#include "core/models/rope_scaling.h"

namespace nibble {
namespace {

// Logits held at once: a vocabulary of 262,144 has 1 MiB for each token.
constexpr size_t kLogitsBytes = size_t{32} << 20;
constexpr int kLogitsPart = 1 << 15;  // that one task finishes

// Counts what carve() takes of an arena.
struct ArenaCounter {
  size_t n_bytes = 0;
  template <class T>
  std::span<T> take(size_t n) {
    n_bytes += Arena::aligned(n * sizeof(T));
    return {};
  }
};

int max_cols(const Model& model) {
  const Hparams& h = model.hparams();
  return std::max({model.weights().max_rank, h.n_embd, h.n_head * h.d_v, h.n_head * h.d_k, h.n_ff,
                   h.moe.n_ff, h.moe.n_ff_shared, h.mla.q_lora, h.n_head * h.mla.d_v});
}

// Press 2021, arXiv:2108.12409: slopes 2^(-8 (h + 1) / n) for n the next lower power of two, then
// every second one of the next higher power.
std::vector<float> alibi_slopes(int n_head) {
  int n = 1;
  while (n * 2 <= n_head) n *= 2;
  std::vector<float> slopes(n_head);
  for (int i = 0; i < n_head; ++i)
    slopes[i] = i < n ? std::exp2(-8.0f * (i + 1) / n) : std::exp2(-4.0f * (2 * (i - n) + 1) / n);
  return slopes;
}

}  // namespace

std::vector<KvShape> kv_shapes(const Architecture& architecture, const Hparams& h) {
  std::vector<KvShape> shapes;
  for (int i = 0; i < h.n_layer; ++i) {
    const BlockOptions o = architecture.block(h, i);
    shapes.push_back(
        {h.n_head_kv, h.d_k, h.d_v, h.mla.kv_lora > 0, o.chunk ? o.chunk : o.window, o.chunk > 0});
  }
  return shapes;
}

Decoder::Decoder(const Model& model)
    : model_(model),
      h_(model.hparams()),
      w_(model.weights()),
      n_qkv_(h_.n_head * h_.d_k + h_.n_head_kv * (h_.d_k + h_.d_v)) {}

template <class A>
void Decoder::carve(A& arena, int n_threads) {
  const size_t n = options_.n_batch;
  residual_ = arena.template take<float>(n * h_.n_embd);
  qkv_ = arena.template take<float>(n * n_qkv_);
  ungrouped_ = arena.template take<float>(h_.grouped_qkv ? size_t(n_threads) * n_qkv_ : 0);
  context_ = arena.template take<float>(n * h_.n_head * h_.d_v);
  branch_ = arena.template take<float>(n * h_.n_embd);
  tables_ = arena.template take<float>(n * h_.rope.n_rot);
  tables_swa_ = arena.template take<float>(n * h_.rope_swa.n_rot);
  logits_rows_ = static_cast<int>(std::clamp<size_t>(kLogitsBytes / (sizeof(float) * h_.n_vocab),
                                                     std::min<size_t>(n, quant::kTileTokens), n));
  logits_ = arena.template take<float>(size_t(logits_rows_) * h_.n_vocab);
  low_rank_ = arena.template take<float>(n * Products::kMaxAdapted * w_.max_rank);
}

size_t Decoder::bytes_needed(const Model& model, const DecoderOptions& options, int n_threads) {
  Decoder counted(model);
  counted.options_ = options;
  ArenaCounter counter;
  counted.carve(counter, n_threads);
  const Hparams& h = model.hparams();
  return counter.n_bytes +
         MatmulScratch::bytes_needed(options.n_batch, max_cols(model), n_threads) +
         AttentionScratch::bytes_needed(h.n_head, h.d_k, h.d_v, options.n_ctx, n_threads) +
         FeedForward::bytes_needed(h, options.n_batch) +
         (h.mla.kv_lora > 0 ? LatentAttention::bytes_needed(h, options.n_batch) : 0);
}

Decoder::Decoder(const Model& model, const DecoderOptions& options, ThreadPool& pool, Arena& arena)
    : Decoder(model) {
  options_ = options;
  pool_ = &pool;
  for (int i = 0; i < h_.n_layer; ++i) blocks_.push_back(model.architecture().block(h_, i));
  carve(arena, pool.size());
  matmul_scratch_.emplace(arena, options.n_batch, max_cols(model), pool.size());
  attention_scratch_.emplace(arena, h_.n_head, h_.d_k, h_.d_v, options.n_ctx, pool.size());
  products_.emplace(pool, *matmul_scratch_, options.exact, low_rank_);
  products_->set_watch(options.watch);
  ffn_.emplace(arena, pool, *products_, h_, options.n_batch);
  if (h_.mla.kv_lora > 0) latent_.emplace(arena, pool, *products_, h_, options.n_batch);
  const float* factors = w_.rope_freqs.weight ? w_.rope_freqs.weight : w_.rope_factors_short.weight;
  rope_ = make_rope(h_.rope, factors);
  rope_swa_ = make_rope(h_.rope_swa);
  const bool long_factors = w_.rope_factors_long.weight || !h_.rope.long_factors.empty();
  const bool longrope = h_.rope.scaling == RopeScaling::kLongrope && long_factors;
  if (!w_.rope_freqs.weight && (longrope || h_.rope.scaling == RopeScaling::kDynamic)) {
    has_long_rope_ = true;
    long_rope_ = make_rope(longer_rope(h_.rope), w_.rope_factors_long.weight);
  }
  if (h_.alibi) {
    alibi_ = alibi_slopes(h_.n_head);
    if (blocks_[0].alibi_scaled)
      for (float& slope : alibi_) slope *= blocks_[0].scale;
  }
}

bool Decoder::set_rope_length(int n) {
  const bool on = has_long_rope_ && n > h_.rope.n_ctx_orig;
  const bool anew = on && rope_follows_length() && n != rope_length_;
  if (on == long_rope_on_ && !anew) return false;
  if (on != long_rope_on_) std::swap(rope_, long_rope_);
  long_rope_on_ = on;
  if (anew) rope_ = make_rope(longer_rope(h_.rope, n)), rope_length_ = n;
  return true;
}

bool Decoder::rope_follows_length() const {
  return has_long_rope_ && options_.exact && h_.rope.scaling == RopeScaling::kDynamic;
}

bool Decoder::run(KvCache& cache, Phase phase, std::span<const int32_t> tokens, int first_position,
                  int from, FunctionRef<bool()> go_on) {
  products_->begin(phase, go_on);
  Batch b{static_cast<int>(tokens.size()), first_position, 0, phase};
  embed(tokens);
  if (w_.position_embd) {
    const Matrix& m = w_.position_embd.w;
    pool_->run(b.n, [&](int t, int) {
      float* scratch = branch_.data() + static_cast<size_t>(t) * h_.n_embd;
      NIBBLE_ASSERT(first_position + t < m.n_rows);
      m.decode(first_position + t, scratch);
      float* row = residual_.data() + static_cast<size_t>(t) * h_.n_embd;
      for (int i = 0; i < h_.n_embd; ++i) row[i] += scratch[i];
    });
  }
  rope_tables(b);
  for (int i = 0; i < h_.n_layer; ++i) {
    if (products_->ask()) return false;
    if (i == h_.n_layer - 1) b.from = from;
    layer(i, b, cache);
  }
  return !products_->stopped();
}

void Decoder::embed(std::span<const int32_t> tokens) {
  const Matrix& m = w_.token_embd.w;
  pool_->run(static_cast<int>(tokens.size()), [&](int t, int) {
    float* row = residual_.data() + static_cast<size_t>(t) * h_.n_embd;
    m.decode(tokens[t], row);
    if (h_.embedding_scale != 1)
      for (int i = 0; i < h_.n_embd; ++i) row[i] *= h_.embedding_scale;
  });
}

void Decoder::rope_tables(const Batch& b) {
  if (h_.rope.n_rot == 0) return;
  pool_->run(b.n, [&](int t, int) {
    const size_t row = t;
    rope_table(rope_, b.first_position + t, tables_.data() + row * h_.rope.n_rot);
    rope_table(rope_swa_, b.first_position + t, tables_swa_.data() + row * h_.rope_swa.n_rot);
  });
}

void Decoder::layer(int i, Batch b, KvCache& cache) {
  const BlockOptions& o = blocks_[i];
  const LayerWeights& w = w_.layers[i];
  const KvLayer& kv = cache.layer(i);
  if (latent_)
    project_latent(i, b, kv);
  else
    project_qkv(i, b);
  if (products_->stopped()) return;
  if (!latent_) pool_->run(b.n, [&](int t, int thread) { store_token(i, b, kv, t, thread); });
  if (b.from >= b.n) return;
  attend(i, b, kv);
  const int n = b.n - b.from;
  const Rows residual = row_range({residual_.data(), b.n, h_.n_embd, size_t(h_.n_embd)}, b.from, n);
  const Rows branch{branch_.data(), n, h_.n_embd, size_t(h_.n_embd)};
  ConstRows context(context_.data(), n, h_.n_head * h_.d_v, size_t(h_.n_head) * h_.d_v);
  if (latent_) context = latent_->expand(w, context);
  // The output goes straight into the residual unless something comes between.
  const bool direct = !o.post_norm && o.residual_scale == 1 && !o.parallel;
  const Product out = product_of(w.attn_output, direct ? residual : branch, direct);
  products_->run(context, std::span(&out, 1));
  if (o.parallel) feed_forward(i, b);  // of the residual as it was
  if (!direct) add_branch(o, w.post_attention_norm, b);
  if (!o.parallel) feed_forward(i, b);
}

// residual += scale * norm(branch)
void Decoder::add_branch(const BlockOptions& o, const Norm& post, const Batch& b) {
  if (products_->stopped()) return;
  pool_->run(b.n - b.from, [&](int t, int) {
    float* branch = branch_.data() + static_cast<size_t>(t) * h_.n_embd;
    float* residual = residual_.data() + static_cast<size_t>(b.from + t) * h_.n_embd;
    if (o.post_norm) apply_norm(o.norm, o.eps, post, branch, h_.n_embd, branch);
    for (int j = 0; j < h_.n_embd; ++j) residual[j] += o.residual_scale * branch[j];
  });
}

// The norm before the feed-forward: gpt-oss's stands under post_attention_norm, parallel blocks may
// share the attention's.
const Norm& Decoder::ffn_norm(int i) const {
  const LayerWeights& w = w_.layers[i];
  if (w.ffn_norm.weight) return w.ffn_norm;
  return !blocks_[i].post_norm && w.post_attention_norm.weight ? w.post_attention_norm
                                                               : w.attn_norm;
}

void Decoder::feed_forward(int i, const Batch& b) {
  const BlockOptions& o = blocks_[i];
  if (products_->stopped()) return;
  const int n = b.n - b.from;
  const Rows residual = row_range({residual_.data(), b.n, h_.n_embd, size_t(h_.n_embd)}, b.from, n);
  const Rows branch{branch_.data(), n, h_.n_embd, size_t(h_.n_embd)};
  const Norm& norm = ffn_norm(i);
  const auto x = [&](int t, float* out) {
    if (o.pre_norm)
      apply_norm(o.norm, o.eps, norm, residual.row(t), h_.n_embd, out);
    else
      std::memcpy(out, residual.row(t), sizeof(float) * h_.n_embd);
  };
  const bool direct = !o.post_norm && o.residual_scale == 1;
  ffn_->run(o, w_.layers[i], n, x, direct ? residual : branch, direct);
  if (!direct) add_branch(o, w_.layers[i].post_ffw_norm, b);
}

Result<ConstRows> Decoder::logits(int first, int n) {
  const Rows out{logits_.data(), n, h_.n_vocab, size_t(h_.n_vocab)};
  const auto x = [&](int t, float* y) {
    apply_norm(blocks_[0].norm, h_.eps, w_.output_norm,
               residual_.data() + static_cast<size_t>(first + t) * h_.n_embd, h_.n_embd, y);
  };
  const Product product = product_of(w_.output, out);
  products_->run(n, h_.n_embd, x, std::span(&product, 1));
  if (products_->stopped()) return fail(ErrorKind::kInterrupted, "interrupted");
  if (!finish_logits(out))
    return invalid_input("the model's logits are not finite numbers: its weights are damaged");
  return ConstRows(out);
}

// Scale and soft cap; whether all are finite.
bool Decoder::finish_logits(const Rows& out) {
  const int n_parts = (h_.n_vocab + kLogitsPart - 1) / kLogitsPart;
  std::atomic<bool> finite = true;
  pool_->run(out.rows * n_parts, [&](int i, int) {
    const int at = i % n_parts * kLogitsPart, n = std::min(kLogitsPart, h_.n_vocab - at);
    float* x = out.row(i / n_parts) + at;
    if (h_.logit_scale != 1)
      for (int j = 0; j < n; ++j) x[j] *= h_.logit_scale;
    if (h_.logit_softcap > 0) softcap(x, n, h_.logit_softcap);
    if (!all_finite(x, n)) finite.store(false, std::memory_order_relaxed);
  });
  return finite.load(std::memory_order_relaxed);
}

}  // namespace nibble
