// The two ways of moe(): prompt tokens grouped by expert, generated tokens one by one. Internal to
// core/ops.
#pragma once

#include "core/ops/kernels/kernels.h"
#include "core/ops/moe.h"
#include "core/ops/packed.h"

namespace nibble {

// Rows [first, first + n) of expert e's matrix, made by a thread.
struct ExpertRows {
  int e, first, n, thread;
};

// One call of moe(), and what both ways do with its parts. A pair is token * n_used + slot; a place
// is a row of the scratch.
class MoeCall {
 public:
  MoeCall(const MatmulContext& context, const MoeScratch& scratch, const Experts& experts,
          const Choice& choice, ExpertActivation f, ConstRows x, Rows out);

 protected:
  quant::ActivationKind kind(const Matrix& w) const {
    return kind_of(w, context_.phase, context_.exact);
  }
  Rows hidden(int place, int n) const {
    return {scratch_.hidden_ + static_cast<size_t>(place) * n_ff_, n, n_ff_,
            static_cast<size_t>(n_ff_)};
  }
  // What multiplies the result of an expert.
  float weight(int pair) const { return experts_.weigh_input ? 1.0f : choice_.weight[pair]; }
  // The input of a pair's expert, [n_embd].
  void copy_x(int pair, float* to) const;
  // sums[i] += the bias of row rows.first + i, where there are biases [n_expert, n_all].
  void add_bias(const float* bias, int n_all, const ExpertRows& rows, float* sums) const;
  // h[i] = f(h[i], up[i]), or of up alone where experts have no gate.
  void activate(const float* up, int n, float* h) const {
    f_(experts_.gate.empty() ? nullptr : h, up, n, h);
  }

  const MatmulContext& context_;
  ThreadPool& pool_;
  const MoeScratch& scratch_;
  const Experts& experts_;
  const Choice& choice_;
  const ExpertActivation f_;
  const ConstRows x_;
  const Rows out_;
  const int n_embd_, n_ff_;
  PackedX packed_x_, packed_hidden_;
  Kinds x_kinds_{}, hidden_kinds_{};
};

void moe_prompt(const MoeCall& call, FunctionRef<bool()> go_on);
void moe_token(const MoeCall& call, int t);  // token t of x

}  // namespace nibble
