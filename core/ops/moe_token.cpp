// A mixture of experts for one generated token: the rows of each of its experts in long runs.
#include <algorithm>

#include "core/ops/moe_phases.h"

namespace nibble {
namespace {

constexpr size_t kTaskBytes = size_t{64} << 10;  // of weights of one expert in a generation task

}  // namespace

class TokenMoe : MoeCall {
 public:
  TokenMoe(const MoeCall& call, int token) : MoeCall(call), t_(token) {}

  void run() {
    pool_.run(experts_.weigh_input ? choice_.n_used : 1, [&](int j, int thread) {
      float* x = context_.scratch.x_rows(thread);
      copy_x(pair(j), x);
      packed_x_.pack_row(x_kinds_, j, x);
    });
    const int rows = rows_per_task(experts_.up[0], kTaskBytes),
              per_expert = (n_ff_ + rows - 1) / rows;
    pool_.run(choice_.n_used * per_expert, [&](int i, int thread) {
      const int first = i % per_expert * rows;
      const int j = i / per_expert;
      make_hidden(j, {expert(j), first, std::min(rows, n_ff_ - first), thread});
    });
    pool_.run(choice_.n_used,
              [&](int j, int) { packed_hidden_.pack_row(hidden_kinds_, j, hidden(j, 1).data); });
    const int out_rows =
        std::max(4, rows_per_task(experts_.down[0], kTaskBytes) / choice_.n_used / 4 * 4);
    pool_.run((n_embd_ + out_rows - 1) / out_rows, [&](int i, int thread) {
      make_out(i * out_rows, std::min(out_rows, n_embd_ - i * out_rows), thread);
    });
  }

 private:
  int pair(int j) const { return t_ * choice_.n_used + j; }
  int expert(int j) const { return choice_.expert[pair(j)]; }

  // out[r] = w[r] . x + bias[r] for the rows that are asked for; x: packed row `row`.
  void multiply(std::span<const Matrix> w, const float* bias, const PackedX& x, int row,
                const ExpertRows& rows, float* out) const {
    const Matrix& m = w[rows.e];
    multiply_rows(m, kind(m), rows.first, x, row, context_.scratch.panel(rows.thread),
                  {out, 1, rows.n, static_cast<size_t>(rows.n)});
    add_bias(bias, m.n_rows, rows, out);
  }

  // Of the expert in slot j.
  void make_hidden(int j, const ExpertRows& rows) const {
    const int x = experts_.weigh_input ? j : 0;
    alignas(64) float sums[kMaxTaskRows];
    float* h = hidden(j, 1).data + rows.first;
    if (!experts_.gate.empty()) multiply(experts_.gate, experts_.gate_bias, packed_x_, x, rows, h);
    multiply(experts_.up, experts_.up_bias, packed_x_, x, rows, sums);
    activate(sums, rows.n, h);
  }

  void make_out(int first, int n, int thread) const {
    alignas(64) float sums[kMaxTaskRows];
    float* out = out_.row(t_) + first;
    for (int j = 0; j < choice_.n_used; ++j) {
      multiply(experts_.down, experts_.down_bias, packed_hidden_, j, {expert(j), first, n, thread},
               sums);
      const float scale = weight(pair(j));
      for (int i = 0; i < n; ++i) out[i] += scale * sums[i];
    }
  }

  const int t_;
};

void moe_token(const MoeCall& call, int t) { TokenMoe(call, t).run(); }

}  // namespace nibble
