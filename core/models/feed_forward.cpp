// See feed_forward.h. Experts run in ascending order, each once for all tokens that chose it,
// so a token's sum depends on its own experts alone. Routing: Shazeer 2017, arXiv:1701.06538;
// groups: DeepSeek-V2 and V3.
#include "core/models/feed_forward.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace nibble {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();
constexpr float kOssAlpha = 1.702f;  // gpt-oss: g * sigmoid(1.702 g)

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

void softmax(float* x, int n) {
  const float top = *std::max_element(x, x + n);
  float sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - top);
  for (int i = 0; i < n; ++i) x[i] /= sum;
}

// The sum of the `top` best of n scores.
float best_sum(const float* scores, int n, int top) {
  float first = kNone, second = kNone;
  for (int i = 0; i < n; ++i) {
    if (scores[i] > first)
      second = first, first = scores[i];
    else
      second = std::max(second, scores[i]);
  }
  return top > 1 && n > 1 ? first + second : first;
}

// Scores of experts outside the best groups become -inf.
void keep_best_groups(const MoeHparams& moe, float* scores) {
  const int size = moe.n_expert / moe.n_group;
  for (int dropped = moe.n_group_used; dropped < moe.n_group; ++dropped) {
    int worst = -1;
    float worst_sum = 0;
    for (int g = 0; g < moe.n_group; ++g) {
      if (scores[g * size] == kNone) continue;
      const float sum = best_sum(scores + g * size, size, moe.group_top);
      if (worst < 0 || sum <= worst_sum) worst = g, worst_sum = sum;
    }
    if (worst < 0) return;
    std::fill_n(scores + worst * size, size, kNone);
  }
}

}  // namespace

void choose_experts(const MoeHparams& moe, const float* bias, float* logits, int* ids,
                    float* weights) {
  const int n = moe.n_expert, k = moe.n_expert_used;
  if (moe.gating == ExpertGating::kSoftmax) softmax(logits, n);
  if (moe.gating == ExpertGating::kSigmoid)
    for (int i = 0; i < n; ++i) logits[i] = sigmoid(logits[i]);
  // Scores for the choice; the weights are the values without bias.
  float* scores = logits + n;
  for (int i = 0; i < n; ++i) scores[i] = logits[i] + (bias ? bias[i] : 0);
  if (moe.n_group > 1) keep_best_groups(moe, scores);
  for (int j = 0; j < k; ++j) {
    int best = -1;
    for (int i = 0; i < n; ++i)
      if (std::find(ids, ids + j, i) == ids + j && (best < 0 || scores[i] > scores[best])) best = i;
    ids[j] = best;
  }
  std::sort(ids, ids + k);
  for (int j = 0; j < k; ++j) weights[j] = logits[ids[j]];
  if (moe.gating == ExpertGating::kSoftmaxChosen) softmax(weights, k);
  float sum = 0;
  for (int j = 0; j < k; ++j) sum += weights[j];
  const float scale = (moe.normalize ? 1 / std::max(sum, 6.1035e-5f) : 1) * moe.scale;
  for (int j = 0; j < k; ++j) weights[j] *= scale;
}

size_t FeedForward::bytes_needed(const Hparams& h, int max_tokens) {
  const size_t n = max_tokens, f = sizeof(float);
  size_t bytes = Arena::aligned(n * 2 * std::max({h.n_ff, h.moe.n_ff, h.moe.n_ff_shared}) * f);
  const MoeHparams& m = h.moe;
  if (m.n_expert > 0)
    bytes += 2 * Arena::aligned(n * h.n_embd * f) + Arena::aligned(n * 2 * m.n_expert * f) +
             2 * Arena::aligned(n * m.n_expert_used * f) +
             MoeScratch::bytes_needed(max_tokens, h.n_embd, m.n_ff, m.n_expert, m.n_expert_used);
  return bytes;
}

FeedForward::FeedForward(Arena& arena, ThreadPool& pool, Products& products, const Hparams& h,
                         int max_tokens)
    : pool_(pool), products_(products), h_(h) {
  const size_t n = max_tokens;
  wide_ = arena.take<float>(n * 2 * std::max({h.n_ff, h.moe.n_ff, h.moe.n_ff_shared}));
  if (h.moe.n_expert == 0) return;
  x_ = arena.take<float>(n * h.n_embd);
  result_ = arena.take<float>(n * h.n_embd);
  logits_ = arena.take<float>(n * 2 * h.moe.n_expert);
  weights_ = arena.take<float>(n * h.moe.n_expert_used);
  ids_ = arena.take<int>(n * h.moe.n_expert_used);
  moe_scratch_.emplace(arena, max_tokens, h.n_embd, h.moe.n_ff, h.moe.n_expert,
                       h.moe.n_expert_used);
}

void FeedForward::run(const BlockOptions& options, const LayerWeights& layer, int n_tokens,
                      RowSource x, Rows out, bool add) {
  if (!options.moe) {
    // A fused matrix without a gate beside it holds the gate's rows first.
    const Linear& up = layer.ffn_up;
    if (options.gated && !layer.ffn_gate) {
      const int n_ff = up.w.n_rows / 2;
      const Matrix gate = up.w.rows(0, n_ff);
      const Matrix rest = up.w.rows(n_ff, n_ff);
      dense(options,
            {&gate, &rest, &layer.ffn_down.w, up.bias, up.bias ? up.bias + n_ff : nullptr,
             layer.ffn_down.bias},
            n_tokens, x, out, add);
      return;
    }
    dense(options,
          {options.gated ? &layer.ffn_gate.w : nullptr, &up.w, &layer.ffn_down.w,
           layer.ffn_gate.bias, up.bias, layer.ffn_down.bias},
          n_tokens, x, out, add);
    return;
  }
  pool_.run(n_tokens, [&](int t, int) { x(t, x_.data() + static_cast<size_t>(t) * h_.n_embd); });
  const ConstRows input(x_.data(), n_tokens, h_.n_embd, h_.n_embd);
  if (!add) pool_.run(n_tokens, [&](int t, int) { std::fill_n(out.row(t), h_.n_embd, 0.0f); });
  if (layer.ffn_up_shexp) shared_expert(options, layer, input, out);
  experts(options, layer, n_tokens, out);
}

void FeedForward::activated(const BlockOptions& options, const float* gate, const float* up, int n,
                            float* out) const {
  if (!gate) return activate(options.activation, up, n, out);
  if (options.clamp_gate == 0) return activate_gated(options.activation, gate, up, n, out);
  const float c = options.clamp_gate;
  for (int i = 0; i < n; ++i) {
    const float g = std::min(gate[i], c), u = std::clamp(up[i], -c, c);
    out[i] = g * sigmoid(kOssAlpha * g) * (u + 1);
  }
}

void FeedForward::dense(const BlockOptions& options, const Gated& w, int n_tokens, RowSource x,
                        Rows out, bool add) {
  const int n_ff = w.up->n_rows;
  const Rows wide{wide_.data(), n_tokens, 2 * n_ff, static_cast<size_t>(2) * n_ff};
  Product in[2] = {{w.up, w.up_bias, columns(wide, n_ff, n_ff), false},
                   {w.gate, w.gate_bias, columns(wide, 0, n_ff), false}};
  products_.run(n_tokens, w.up->n_cols, x, std::span(in, w.gate ? 2 : 1));
  const auto hidden = [&](int t, float* y) {
    const float* gate = wide.row(t);
    activated(options, w.gate ? gate : nullptr, gate + n_ff, n_ff, y);
  };
  const Product down{w.down, w.down_bias, out, add};
  products_.run(n_tokens, n_ff, hidden, std::span(&down, 1));
}

void FeedForward::shared_expert(const BlockOptions& options, const LayerWeights& layer, ConstRows x,
                                Rows out) {
  const auto row = [&](int t, float* y) { std::memcpy(y, x.row(t), sizeof(float) * x.cols); };
  const Gated w{&layer.ffn_gate_shexp.w,   &layer.ffn_up_shexp.w,   &layer.ffn_down_shexp.w,
                layer.ffn_gate_shexp.bias, layer.ffn_up_shexp.bias, layer.ffn_down_shexp.bias};
  if (!layer.ffn_gate_inp_shexp) return dense(options, w, x.rows, row, out, true);
  const Rows result{result_.data(), x.rows, h_.n_embd, static_cast<size_t>(h_.n_embd)};
  dense(options, w, x.rows, row, result, false);
  const Rows gate{logits_.data(), x.rows, 1, 1};
  const Product gate_product = product_of(layer.ffn_gate_inp_shexp, gate);
  products_.run(x, std::span(&gate_product, 1));
  pool_.run(x.rows, [&](int t, int) {
    const float g = sigmoid(*gate.row(t));
    for (int i = 0; i < h_.n_embd; ++i) out.row(t)[i] += g * result.row(t)[i];
  });
}

void FeedForward::route(const LayerWeights& layer, int n_tokens) {
  const MoeHparams& m = h_.moe;
  const size_t stride = 2 * static_cast<size_t>(m.n_expert);
  const Product router =
      product_of(layer.ffn_gate_inp, Rows{logits_.data(), n_tokens, m.n_expert, stride});
  products_.run(ConstRows(x_.data(), n_tokens, h_.n_embd, h_.n_embd), std::span(&router, 1));
  const size_t k = m.n_expert_used;
  pool_.run(n_tokens, [&](int t, int) {
    choose_experts(m, layer.exp_probs_b.bias, logits_.data() + t * stride, ids_.data() + t * k,
                   weights_.data() + t * k);
  });
}

void FeedForward::experts(const BlockOptions& options, const LayerWeights& layer, int n_tokens,
                          Rows out) {
  route(layer, n_tokens);
  if (products_.stopped()) return;
  const Experts experts{.gate = layer.ffn_gate_exps.w,
                        .up = layer.ffn_up_exps.w,
                        .down = layer.ffn_down_exps.w,
                        .gate_bias = layer.ffn_gate_exps.bias,
                        .up_bias = layer.ffn_up_exps.bias,
                        .down_bias = layer.ffn_down_exps.bias,
                        .weigh_input = h_.moe.scale_input,
                        .watch = products_.watch()};
  const Choice choice{h_.moe.n_expert_used, ids_.data(), weights_.data()};
  const auto f = [&](const float* gate, const float* up, int n, float* y) {
    activated(options, gate, up, n, y);
  };
  moe(products_.context(), *moe_scratch_, experts, choice, f,
      ConstRows(x_.data(), n_tokens, h_.n_embd, h_.n_embd), out, [&] { return !products_.ask(); });
}

}  // namespace nibble
