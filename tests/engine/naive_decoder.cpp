#include "tests/engine/naive_decoder.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/models/architecture.h"
#include "core/models/rope_scaling.h"
#include "core/models/weights.h"

namespace nibble::tests {
namespace {

using Vec = std::vector<double>;

struct Naive {
  const Hparams& h;
  const Weights& w;
  const Architecture& a;

  static Vec times(const Linear& l, const Vec& x) { return times(l.w, l.bias, x); }
  static Vec times(const Matrix& m, const float* bias, const Vec& x) {
    Vec out(m.n_rows);
    std::vector<float> row(m.n_cols);
    for (int r = 0; r < m.n_rows; ++r) {
      m.decode(r, row.data());
      out[r] = bias ? bias[r] : 0;
      for (int c = 0; c < m.n_cols; ++c) out[r] += double{row[c]} * x[c];
    }
    return out;
  }
  static Vec norm(NormKind kind, double eps, const float* weight, const float* bias, Vec x) {
    const double n = static_cast<double>(x.size());
    if (kind == NormKind::kLayer) {
      const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
      for (double& v : x) v -= mean;
    }
    double squares = 0;
    for (const double v : x) squares += v * v;
    const double scale = 1 / std::sqrt(squares / n + eps);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = x[i] * scale * (weight ? weight[i] : 1) +
             (bias && kind == NormKind::kLayer ? bias[i] : 0);
    return x;
  }
  static double act(Activation f, double x) {
    switch (f) {
      case Activation::kSilu:
        return x / (1 + std::exp(-x));
      case Activation::kGeluErf:
        return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
      case Activation::kRelu:
        return std::max(0.0, x);
      default:
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    }
  }
  static void rotate(const Rope& rope, int position, double* head) {
    const int half = rope.n_rot / 2;
    for (int i = 0; i < half; ++i) {
      const bool adjacent = rope.pairs == RopePairs::kAdjacent;
      double& x = head[rope.first + (adjacent ? 2 * i : i)];
      double& y = head[rope.first + (adjacent ? 2 * i + 1 : i + half)];
      const double angle = position * rope.inv_freq[i], m = rope.magnitude;
      const double c = m * std::cos(angle), s = m * std::sin(angle), old = x;
      x = old * c - y * s;
      y = old * s + y * c;
    }
  }

  Vec gated(const BlockOptions& o, const Matrix* gate, const Matrix& up, const Matrix& down,
            const float* gate_bias, const float* up_bias, const float* down_bias,
            const Vec& x) const {
    Vec u = times(up, up_bias, x);
    Vec g = gate ? times(*gate, gate_bias, x) : Vec();
    if (o.gated && !gate) {
      g.assign(u.begin(), u.begin() + u.size() / 2);
      u.erase(u.begin(), u.begin() + u.size() / 2);
    }
    for (size_t i = 0; i < u.size(); ++i) {
      if (o.clamp_gate > 0) {
        const double gi = std::min<double>(g[i], o.clamp_gate);
        u[i] = (std::clamp<double>(u[i], -o.clamp_gate, o.clamp_gate) + 1) * gi /
               (1 + std::exp(-1.702 * gi));
      } else {
        u[i] = o.gated ? act(o.activation, g[i]) * u[i] : act(o.activation, u[i]);
      }
    }
    return times(down, down_bias, u);
  }

  Vec experts(const BlockOptions& o, const LayerWeights& l, const Vec& x) const {
    const MoeHparams& m = h.moe;
    Vec p = times(l.ffn_gate_inp, x);
    const Vec logits = p;
    if (m.gating == ExpertGating::kSigmoid)
      for (double& v : p) v = 1 / (1 + std::exp(-v));
    if (m.gating == ExpertGating::kSoftmax) {
      double sum = 0;
      for (double& v : p) sum += v = std::exp(v);
      for (double& v : p) v /= sum;
    }
    Vec score = p;
    for (int e = 0; e < m.n_expert && l.exp_probs_b.bias; ++e) score[e] += l.exp_probs_b.bias[e];
    std::vector<int> order(m.n_expert);
    std::iota(order.begin(), order.end(), 0);
    if (m.n_group > 1) {
      const int size = m.n_expert / m.n_group;
      std::vector<std::pair<double, int>> groups;
      for (int g = 0; g < m.n_group; ++g) {
        Vec s(score.begin() + g * size, score.begin() + (g + 1) * size);
        std::sort(s.rbegin(), s.rend());
        groups.push_back({m.group_top > 1 ? s[0] + s[1] : s[0], g});
      }
      std::sort(groups.rbegin(), groups.rend());
      order.clear();
      for (int g = 0; g < m.n_group_used; ++g)
        for (int e = 0; e < size; ++e) order.push_back(groups[g].second * size + e);
    }
    std::sort(order.begin(), order.end(), [&](int i, int j) { return score[i] > score[j]; });
    order.resize(m.n_expert_used);
    double sum = 0;
    for (const int e : order)
      sum += m.gating == ExpertGating::kSoftmaxChosen ? std::exp(logits[e]) : p[e];
    Vec out(x.size());
    for (const int e : order) {
      double weight = m.gating == ExpertGating::kSoftmaxChosen ? std::exp(logits[e]) / sum : p[e];
      if (m.normalize) weight /= sum;
      weight *= m.scale;
      Vec in = x;
      if (m.scale_input)
        for (double& v : in) v *= weight;
      const auto bias = [&](const ExpertWeights& b) {
        return b.bias ? b.bias + static_cast<size_t>(e) * b.w[0].n_rows : nullptr;
      };
      const Vec y = gated(o, &l.ffn_gate_exps.w[e], l.ffn_up_exps.w[e], l.ffn_down_exps.w[e],
                          bias(l.ffn_gate_exps), bias(l.ffn_up_exps), bias(l.ffn_down_exps), in);
      for (size_t i = 0; i < y.size(); ++i) out[i] += (m.scale_input ? 1 : weight) * y[i];
    }
    if (!l.ffn_up_shexp) return out;
    double share = 1;
    if (l.ffn_gate_inp_shexp) share = 1 / (1 + std::exp(-times(l.ffn_gate_inp_shexp, x)[0]));
    const Vec y = gated(o, &l.ffn_gate_shexp.w, l.ffn_up_shexp.w, l.ffn_down_shexp.w,
                        l.ffn_gate_shexp.bias, l.ffn_up_shexp.bias, l.ffn_down_shexp.bias, x);
    for (size_t i = 0; i < y.size(); ++i) out[i] += share * y[i];
    return out;
  }

  Vec feed_forward(const BlockOptions& o, const LayerWeights& l, const Vec& residual) const {
    const Norm& n = l.ffn_norm.weight                              ? l.ffn_norm
                    : l.post_attention_norm.weight && !o.post_norm ? l.post_attention_norm
                                                                   : l.attn_norm;
    const Vec x = o.pre_norm ? norm(o.norm, o.eps, n.weight, n.bias, residual) : residual;
    if (o.moe) return experts(o, l, x);
    return gated(o, l.ffn_gate ? &l.ffn_gate.w : nullptr, l.ffn_up.w, l.ffn_down.w, l.ffn_gate.bias,
                 l.ffn_up.bias, l.ffn_down.bias, x);
  }

  struct Heads {
    std::vector<Vec> q, k, v;  // [head][values]
  };

  void norm_heads(const BlockOptions& o, const Norm& n, std::vector<Vec>& heads) const {
    if (o.qk_norm == QkNorm::kProjection) {
      Vec all;
      for (const Vec& x : heads) all.insert(all.end(), x.begin(), x.end());
      all = norm(NormKind::kRms, o.eps, n.weight, nullptr, all);
      for (size_t i = 0; i < heads.size(); ++i)
        std::copy_n(all.begin() + i * heads[i].size(), heads[i].size(), heads[i].begin());
      return;
    }
    for (size_t i = 0; i < heads.size(); ++i) {
      const bool own = o.qk_norm == QkNorm::kHeadLayer;
      const float* weight = n.weight && own ? n.weight + i * heads[i].size() : n.weight;
      heads[i] = norm(own ? NormKind::kLayer : NormKind::kRms, o.eps, weight, nullptr, heads[i]);
    }
  }

  static std::vector<Vec> split(const Vec& x, size_t first, int n_head, int d) {
    std::vector<Vec> heads;
    for (int i = 0; i < n_head; ++i)
      heads.emplace_back(x.begin() + first + i * d, x.begin() + first + (i + 1) * d);
    return heads;
  }

  // Expanded, not absorbed: each head has keys [k_b c ; k_pe] and values v_b c.
  Heads latent(const LayerWeights& l, const Vec& x, const Rope& rope, int p) const {
    const MlaHparams& m = h.mla;
    Heads out;
    const Vec q = l.attn_q_a ? times(l.attn_q_b, norm(NormKind::kRms, m.eps, l.attn_q_a_norm.weight,
                                                      nullptr, times(l.attn_q_a, x)))
                             : times(l.attn_q, x);
    Vec c = times(l.attn_kv_a_mqa, x);
    Vec pe(c.begin() + m.kv_lora, c.end());
    c.resize(m.kv_lora);
    c = norm(NormKind::kRms, m.eps, l.attn_kv_a_norm.weight, nullptr, c);
    Rope local = rope;
    local.first = 0;
    rotate(local, p, pe.data());
    out.q = split(q, 0, h.n_head, m.d_nope + m.d_rope);
    for (int i = 0; i < h.n_head; ++i) {
      rotate(local, p, out.q[i].data() + m.d_nope);
      Vec k(m.d_nope);
      std::vector<float> row(m.d_nope);
      for (int r = 0; r < m.kv_lora; ++r) {
        l.attn_k_b.w[i].decode(r, row.data());
        for (int j = 0; j < m.d_nope; ++j) k[j] += row[j] * c[r];
      }
      k.insert(k.end(), pe.begin(), pe.end());
      out.k.push_back(k);
      out.v.push_back(times(l.attn_v_b.w[i], nullptr, c));
    }
    return out;
  }

  Heads heads(const BlockOptions& o, const LayerWeights& l, const Vec& residual, const Rope& rope,
              int p) const {
    const Norm& n = l.attn_norm_2.weight ? l.attn_norm_2 : l.attn_norm;
    const Vec x = o.pre_norm ? norm(o.norm, o.eps, n.weight, n.bias, residual) : residual;
    if (h.mla.kv_lora > 0) return latent(l, x, rope, p);
    Vec qkv;
    if (l.attn_qkv) {
      qkv = times(l.attn_qkv, x);
    } else {
      for (const Linear* part : {&l.attn_q, &l.attn_k, &l.attn_v}) {
        const Vec y = times(*part, x);
        qkv.insert(qkv.end(), y.begin(), y.end());
      }
    }
    if (o.clamp_kqv > 0)
      for (double& v : qkv) v = std::clamp<double>(v, -o.clamp_kqv, o.clamp_kqv);
    const size_t n_q = h.n_head * h.d_k, n_k = h.n_head_kv * h.d_k;
    Heads out{split(qkv, 0, h.n_head, h.d_k), split(qkv, n_q, h.n_head_kv, h.d_k),
              split(qkv, n_q + n_k, h.n_head_kv, h.d_v)};
    const bool before = o.qk_norm != QkNorm::kNone && o.qk_norm != QkNorm::kAfterRope;
    if (before) norm_heads(o, l.attn_q_norm, out.q), norm_heads(o, l.attn_k_norm, out.k);
    if (o.rope)
      for (auto* list : {&out.q, &out.k})
        for (Vec& head : *list) rotate(rope, p, head.data());
    if (o.qk_norm == QkNorm::kAfterRope) norm_heads(o, {}, out.q), norm_heads(o, {}, out.k);
    if (o.temperature) {
      const double turns = std::floor((p + h.temperature_offset) / h.temperature_floor);
      for (Vec& head : out.q)
        for (double& v : head) v *= std::log(turns + 1) * h.temperature_beta + 1;
    }
    return out;
  }

  static double slope(int head, int n_head) {
    int n = 1;
    while (n * 2 <= n_head) n *= 2;
    return head < n ? std::pow(2, -8.0 * (head + 1) / n)
                    : std::pow(2, -4.0 * (2 * (head - n) + 1) / n);
  }

  Vec attend(const BlockOptions& o, const LayerWeights& l, const std::vector<Heads>& all,
             int p) const {
    Vec out;
    for (int head = 0; head < h.n_head; ++head) {
      const size_t kv = head / (all[p].q.size() / all[p].k.size());
      double sum = l.attn_sinks.weight ? std::exp(l.attn_sinks.weight[head]) : 0;
      Vec mixed(all[p].v[kv].size());
      for (int t = 0; t <= p; ++t) {
        if (o.window > 0 && p - t >= o.window) continue;
        if (o.chunk > 0 && t / o.chunk != p / o.chunk) continue;
        const Vec &q = all[p].q[head], &k = all[t].k[kv];
        double score = std::inner_product(q.begin(), q.end(), k.begin(), 0.0) * o.scale;
        if (o.softcap > 0) score = o.softcap * std::tanh(score / o.softcap);
        if (o.alibi) score += slope(head, h.n_head) * (o.alibi_scaled ? o.scale : 1) * (t - p);
        sum += score = std::exp(score);
        for (size_t i = 0; i < mixed.size(); ++i) mixed[i] += score * all[t].v[kv][i];
      }
      for (const double v : mixed) out.push_back(v / sum);
    }
    return out;
  }

  static void add(Vec& residual, const Vec& branch, double scale) {
    for (size_t i = 0; i < branch.size(); ++i) residual[i] += scale * branch[i];
  }

  void layer(int i, std::vector<Vec>& residuals, const Rope& rope) const {
    const BlockOptions o = a.block(h, i);
    const LayerWeights& l = w.layers[i];
    std::vector<Heads> all;
    for (size_t p = 0; p < residuals.size(); ++p)
      all.push_back(heads(o, l, residuals[p], rope, static_cast<int>(p)));
    for (size_t p = 0; p < residuals.size(); ++p) {
      const Vec before = residuals[p];
      Vec y = times(l.attn_output, attend(o, l, all, static_cast<int>(p)));
      const Norm& post = l.post_attention_norm;
      if (o.post_norm) y = norm(o.norm, o.eps, post.weight, post.bias, y);
      add(residuals[p], y, o.residual_scale);
      y = feed_forward(o, l, o.parallel ? before : residuals[p]);
      if (o.post_norm) y = norm(o.norm, o.eps, l.post_ffw_norm.weight, l.post_ffw_norm.bias, y);
      add(residuals[p], y, o.residual_scale);
    }
  }
};

}  // namespace

std::vector<std::vector<double>> naive_logits(const Model& model,
                                              const std::vector<TokenId>& tokens) {
  const Naive n{model.hparams(), model.weights(), model.architecture()};
  std::vector<Vec> residuals;
  std::vector<float> row(n.h.n_embd);
  for (size_t p = 0; p < tokens.size(); ++p) {
    n.w.token_embd.w.decode(tokens[p], row.data());
    Vec x(row.begin(), row.end());
    for (double& v : x) v *= n.h.embedding_scale;
    if (n.w.position_embd) {
      n.w.position_embd.w.decode(static_cast<int>(p), row.data());
      for (size_t i = 0; i < x.size(); ++i) x[i] += row[i];
    }
    residuals.push_back(x);
  }
  RopeHparams rope = n.h.rope;
  const bool longer = static_cast<int>(tokens.size()) > rope.n_ctx_orig;
  const bool switches =
      rope.scaling == RopeScaling::kLongrope || rope.scaling == RopeScaling::kDynamic;
  if (switches && longer) rope = longer_rope(rope, static_cast<int>(tokens.size()));
  for (int i = 0; i < n.h.n_layer; ++i) {
    const bool other = n.a.block(n.h, i).swa_rope && n.h.rope_swa != n.h.rope;
    n.layer(i, residuals, make_rope(other ? n.h.rope_swa : rope));
  }
  std::vector<std::vector<double>> out;
  for (const Vec& x : residuals) {
    const Norm& last = n.w.output_norm;
    out.push_back(Naive::times(
        n.w.output, Naive::norm(n.a.block(n.h, 0).norm, n.h.eps, last.weight, last.bias, x)));
    for (double& v : out.back()) {
      v *= n.h.logit_scale;
      if (n.h.logit_softcap > 0) v = n.h.logit_softcap * std::tanh(v / n.h.logit_softcap);
    }
  }
  return out;
}

}  // namespace nibble::tests
