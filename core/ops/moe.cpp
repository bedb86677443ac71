#include "core/ops/moe.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/ops/moe_phases.h"

namespace nibble {
namespace {

using quant::ActivationKind;
using quant::kTileTokens;

// Tiles of a batch: each expert that is used at all may leave one unfilled.
size_t max_tiles(size_t n_pairs, int n_expert) {
  return n_pairs / kTileTokens + std::min<size_t>(n_pairs, n_expert);
}

size_t packed_bytes(int kind, size_t n_places, int n_cols) {
  return PackedX::bytes_needed(ActivationKind(kind), static_cast<int>(n_places), n_cols);
}

}  // namespace

size_t MoeScratch::bytes_needed(int max_tokens, int n_embd, int n_ff, int n_expert, int n_used) {
  const size_t pairs = static_cast<size_t>(max_tokens) * n_used,
               places = max_tiles(pairs, n_expert) * kTileTokens;
  size_t n = 0;
  for (int kind = 0; kind < quant::kActivationKinds; ++kind)
    n += Arena::aligned(packed_bytes(kind, places, n_embd)) +
         Arena::aligned(packed_bytes(kind, places, n_ff));
  for (const size_t count :
       {places * n_ff, places * n_embd, places, pairs, size_t(n_expert) + 1, size_t(n_expert)})
    n += Arena::aligned(count * sizeof(float));
  return n;
}

MoeScratch::MoeScratch(Arena& arena, int max_tokens, int n_embd, int n_ff, int n_expert, int n_used)
    : max_pairs_(max_tokens * n_used), n_expert_(n_expert) {
  const size_t places = max_tiles(max_pairs_, n_expert) * kTileTokens;
  for (int kind = 0; kind < quant::kActivationKinds; ++kind) {
    packed_x_[kind] = arena.take_bytes(packed_bytes(kind, places, n_embd));
    packed_hidden_[kind] = arena.take_bytes(packed_bytes(kind, places, n_ff));
  }
  hidden_ = arena.take<float>(places * n_ff).data();
  result_ = arena.take<float>(places * n_embd).data();
  pair_of_ = arena.take<int>(places).data();
  place_of_ = arena.take<int>(max_pairs_).data();
  first_tile_ = arena.take<int>(n_expert + 1).data();
  next_place_ = arena.take<int>(n_expert).data();
}

MoeCall::MoeCall(const MatmulContext& context, const MoeScratch& scratch, const Experts& experts,
                 const Choice& choice, ExpertActivation f, ConstRows x, Rows out)
    : context_(context),
      pool_(context.pool),
      scratch_(scratch),
      experts_(experts),
      choice_(choice),
      f_(f),
      x_(x),
      out_(out),
      n_embd_(x.cols),
      n_ff_(experts.up[0].n_rows) {
  NIBBLE_ASSERT(x.rows * choice.n_used <= scratch_.max_pairs_ && out.rows == x.rows &&
                out.cols == n_embd_);
  NIBBLE_ASSERT(static_cast<int>(experts.up.size()) == scratch_.n_expert_ &&
                experts.down.size() == experts.up.size());
  std::copy_n(scratch_.packed_x_, quant::kActivationKinds, packed_x_.data);
  std::copy_n(scratch_.packed_hidden_, quant::kActivationKinds, packed_hidden_.data);
  packed_x_.n_cols = n_embd_;
  packed_hidden_.n_cols = n_ff_;
  for (const Matrix& w : experts.gate) x_kinds_[static_cast<int>(kind(w))] = true;
  for (const Matrix& w : experts.up) x_kinds_[static_cast<int>(kind(w))] = true;
  for (const Matrix& w : experts.down) hidden_kinds_[static_cast<int>(kind(w))] = true;
}

void MoeCall::copy_x(int pair, float* to) const {
  const float* from = x_.row(pair / choice_.n_used);
  const float scale = experts_.weigh_input ? choice_.weight[pair] : 1.0f;
  for (int i = 0; i < n_embd_; ++i) to[i] = scale * from[i];
}

void MoeCall::add_bias(const float* bias, int n_all, const ExpertRows& rows, float* sums) const {
  if (!bias) return;
  const float* first = bias + static_cast<size_t>(rows.e) * n_all + rows.first;
  kernels::ops_kernels().add_rows(first, nullptr, sums, rows.n, true);
}

void moe(const MatmulContext& context, MoeScratch& scratch, const Experts& experts,
         const Choice& choice, ExpertActivation f, ConstRows x, Rows out,
         FunctionRef<bool()> go_on) {
  const MoeCall call(context, scratch, experts, choice, f, x, out);
  if (context.phase == Phase::kPrompt) return moe_prompt(call, go_on);
  for (int t = 0; t < x.rows && go_on(); ++t) moe_token(call, t);
}

}  // namespace nibble
