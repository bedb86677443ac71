#include "core/ops/moe.h"

#include <algorithm>
#include <vector>

#include "core/base/assert.h"
#include "core/ops/kernels/kernels.h"
#include "core/ops/packed.h"

namespace nibble {
namespace {

using quant::ActivationKind;
using quant::kTileTokens;

constexpr size_t kTaskBytes = size_t{64} << 10;  // of weights of one expert in a generation task
constexpr double kPieceProducts = 4e9;  // multiplications between two questions: some 10 ms

// Tiles of a batch: each expert that is used at all may leave one unfilled.
size_t max_tiles(size_t n_pairs, int n_expert) {
  return n_pairs / kTileTokens + std::min<size_t>(n_pairs, n_expert);
}

size_t packed_bytes(int kind, size_t n_places, int n_cols) {
  return PackedX::bytes_needed(ActivationKind(kind), static_cast<int>(n_places), n_cols);
}

Rows one(float* row, int n) { return {row, 1, n, static_cast<size_t>(n)}; }

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

// One call of moe().
class MoeRun {
 public:
  MoeRun(const MatmulContext& context, const MoeScratch& scratch, const Experts& experts,
         const Choice& choice, ExpertActivation f, ConstRows x, Rows out, FunctionRef<bool()> go_on)
      : context_(context),
        pool_(context.pool),
        s_(scratch),
        experts_(experts),
        choice_(choice),
        f_(f),
        x_(x),
        out_(out),
        go_on_(go_on),
        n_embd_(x.cols),
        n_ff_(experts.up[0].n_rows) {
    NIBBLE_ASSERT(x.rows * choice.n_used <= s_.max_pairs_ && out.rows == x.rows &&
                  out.cols == n_embd_);
    NIBBLE_ASSERT(static_cast<int>(experts.up.size()) == s_.n_expert_ &&
                  experts.down.size() == experts.up.size());
    std::copy_n(s_.packed_x_, quant::kActivationKinds, packed_x_.data);
    std::copy_n(s_.packed_hidden_, quant::kActivationKinds, packed_hidden_.data);
    packed_x_.n_cols = n_embd_;
    packed_hidden_.n_cols = n_ff_;
    for (const Matrix& w : experts.gate) x_kinds_[static_cast<int>(kind(w))] = true;
    for (const Matrix& w : experts.up) x_kinds_[static_cast<int>(kind(w))] = true;
    for (const Matrix& w : experts.down) hidden_kinds_[static_cast<int>(kind(w))] = true;
  }

  void prompt() {
    group();
    const int n_tiles = s_.first_tile_[s_.n_expert_];
    pool_.run(n_tiles, [&](int i, int thread) { gather(i, thread); });
    const bool hidden_made = by_expert(
        n_ff_, [&](int e, int first, int n, int thread) { make_hidden(e, first, n, thread); });
    if (!hidden_made) return;
    if (experts_.watch) tell();
    pool_.run(n_tiles, [&](int i, int) {
      packed_hidden_.pack_tile(hidden_kinds_, i, hidden(i * kTileTokens, n_tokens(i)));
    });
    if (by_expert(n_embd_,
                  [&](int e, int first, int n, int thread) { make_result(e, first, n, thread); }))
      pool_.run(x_.rows, [&](int t, int) { combine(t); });
  }

  // A generated token: the rows of each of its experts in long runs.
  void generation(int t) {
    pool_.run(experts_.weigh_input ? choice_.n_used : 1, [&](int j, int thread) {
      float* x = context_.scratch.x_rows(thread);
      copy_x(t * choice_.n_used + j, x);
      packed_x_.pack_row(x_kinds_, j, x);
    });
    const int rows = rows_per_task(experts_.up[0], kTaskBytes),
              per_expert = (n_ff_ + rows - 1) / rows;
    pool_.run(choice_.n_used * per_expert, [&](int i, int thread) {
      const int first = i % per_expert * rows;
      make_hidden_rows(t, i / per_expert, first, std::min(rows, n_ff_ - first), thread);
    });
    pool_.run(choice_.n_used,
              [&](int j, int) { packed_hidden_.pack_row(hidden_kinds_, j, hidden(j, 1).data); });
    const int out_rows =
        std::max(4, rows_per_task(experts_.down[0], kTaskBytes) / choice_.n_used / 4 * 4);
    pool_.run((n_embd_ + out_rows - 1) / out_rows, [&](int i, int thread) {
      make_out_rows(t, i * out_rows, std::min(out_rows, n_embd_ - i * out_rows), thread);
    });
  }

 private:
  static constexpr int kStride = Panel::kMaxRows;

  ActivationKind kind(const Matrix& w) const { return kind_of(w, context_.phase, context_.exact); }
  Rows hidden(int place, int n) const {
    return {s_.hidden_ + static_cast<size_t>(place) * n_ff_, n, n_ff_, static_cast<size_t>(n_ff_)};
  }
  Rows result(int place, int n) const {
    return {s_.result_ + static_cast<size_t>(place) * n_embd_, n, n_embd_,
            static_cast<size_t>(n_embd_)};
  }
  // sums[i] += the bias of row first + i of expert e.
  void add_bias(const float* bias, int e, int n_rows, int first, int n, float* sums) const {
    if (bias) ops_.add_rows(bias + static_cast<size_t>(e) * n_rows + first, nullptr, sums, n, true);
  }

  // Pairs (token, slot) by expert, in the order of tokens; each expert begins a tile.
  void group() const {
    const int n_pairs = x_.rows * choice_.n_used, n_expert = s_.n_expert_;
    std::fill_n(s_.next_place_, n_expert, 0);  // first: how many pairs
    for (int i = 0; i < n_pairs; ++i) {
      NIBBLE_ASSERT(choice_.expert[i] >= 0 && choice_.expert[i] < n_expert);
      ++s_.next_place_[choice_.expert[i]];
    }
    s_.first_tile_[0] = 0;
    for (int e = 0; e < n_expert; ++e) {
      s_.first_tile_[e + 1] = s_.first_tile_[e] + static_cast<int>(whole_tiles(s_.next_place_[e]));
      s_.next_place_[e] = s_.first_tile_[e] * kTileTokens;
    }
    std::fill_n(s_.pair_of_, s_.first_tile_[n_expert] * kTileTokens, -1);
    for (int i = 0; i < n_pairs; ++i) {
      const int place = s_.next_place_[choice_.expert[i]]++;
      s_.pair_of_[place] = i;
      s_.place_of_[i] = place;
    }
  }
  int n_tiles(int e) const { return s_.first_tile_[e + 1] - s_.first_tile_[e]; }
  int n_tokens(int tile) const {
    const int* pairs = s_.pair_of_ + tile * kTileTokens;
    return static_cast<int>(std::find(pairs, pairs + kTileTokens, -1) - pairs);
  }

  void copy_x(int pair, float* to) const {
    const float* from = x_.row(pair / choice_.n_used);
    const float scale = experts_.weigh_input ? choice_.weight[pair] : 1.0f;
    for (int i = 0; i < n_embd_; ++i) to[i] = scale * from[i];
  }
  void gather(int tile, int thread) const {
    const Rows rows{context_.scratch.x_rows(thread), n_tokens(tile), n_embd_,
                    static_cast<size_t>(n_embd_)};
    for (int i = 0; i < rows.rows; ++i) copy_x(s_.pair_of_[tile * kTileTokens + i], rows.row(i));
    packed_x_.pack_tile(x_kinds_, tile, rows);
  }

  // What each expert's matrices are multiplied with, to the watch.
  void tell() const {
    std::vector<float> input(static_cast<size_t>(kTileTokens) * n_embd_);
    for (int e = 0; e < s_.n_expert_; ++e)
      for (int tile = s_.first_tile_[e]; tile < s_.first_tile_[e + 1]; ++tile) {
        const Rows x{input.data(), n_tokens(tile), n_embd_, static_cast<size_t>(n_embd_)};
        for (int i = 0; i < x.rows; ++i) copy_x(s_.pair_of_[tile * kTileTokens + i], x.row(i));
        if (!experts_.gate.empty()) experts_.watch->seen(experts_.gate[e], x);
        experts_.watch->seen(experts_.up[e], x);
        experts_.watch->seen(experts_.down[e], hidden(tile * kTileTokens, x.rows));
      }
  }

  // Rows that panels of all the matrices can hold.
  int rows_of_panel() const {
    int n = Panel::kMaxRows;
    for (const auto& matrices : {experts_.gate, experts_.up, experts_.down})
      for (const Matrix& w : matrices) n = std::min(n, Panel::max_rows(w, kind(w)));
    return n;
  }

  // Behind the last expert of a piece of bounded work that begins with expert e.
  int piece_end(int e) const {
    double products = 0;
    while (e < s_.n_expert_ && products < kPieceProducts) {
      products += 2.0 * n_embd_ * n_ff_ * kTileTokens * n_tiles(e);
      ++e;
    }
    return e;
  }

  // task(expert, first row, rows, thread) for n_rows rows of all experts that have tokens; false:
  // told to stop.
  template <class Task>
  bool by_expert(int n_rows, Task task) {
    const int rows = rows_of_panel();
    const int per_expert = (n_rows + rows - 1) / rows;
    for (int begin = 0, end; begin < s_.n_expert_; begin = end) {
      if (!go_on_()) return false;
      end = piece_end(begin);
      pool_.run((end - begin) * per_expert, [&](int i, int thread) {
        const int e = begin + i / per_expert, first = i % per_expert * rows;
        if (n_tiles(e) > 0) task(e, first, std::min(rows, n_rows - first), thread);
      });
    }
    return true;
  }

  void make_hidden(int e, int first, int n, int thread) const {
    std::byte* memory = context_.scratch.panel(thread);
    const bool gated = !experts_.gate.empty();
    if (gated) {
      Panel gate(experts_.gate[e], kind(experts_.gate[e]), first, n, n_tiles(e), memory);
      for (int tile = s_.first_tile_[e]; tile < s_.first_tile_[e + 1]; ++tile) {
        const Rows to = hidden(tile * kTileTokens, n_tokens(tile));
        gate.multiply(packed_x_, tile, to.rows, to.data + first, to.stride);
        for (int t = 0; t < to.rows; ++t)
          add_bias(experts_.gate_bias, e, n_ff_, first, n, to.row(t) + first);
      }
    }
    Panel up(experts_.up[e], kind(experts_.up[e]), first, n, n_tiles(e), memory);
    alignas(64) float sums[kTileTokens * kStride];
    for (int tile = s_.first_tile_[e]; tile < s_.first_tile_[e + 1]; ++tile) {
      const Rows to = hidden(tile * kTileTokens, n_tokens(tile));
      up.multiply(packed_x_, tile, to.rows, sums, kStride);
      for (int t = 0; t < to.rows; ++t) {
        float* h = to.row(t) + first;
        add_bias(experts_.up_bias, e, n_ff_, first, n, sums + t * kStride);
        f_(gated ? h : nullptr, sums + t * kStride, n, h);
      }
    }
  }

  void make_result(int e, int first, int n, int thread) const {
    Panel down(experts_.down[e], kind(experts_.down[e]), first, n, n_tiles(e),
               context_.scratch.panel(thread));
    for (int tile = s_.first_tile_[e]; tile < s_.first_tile_[e + 1]; ++tile) {
      const Rows to = result(tile * kTileTokens, n_tokens(tile));
      down.multiply(packed_hidden_, tile, to.rows, to.data + first, to.stride);
      for (int t = 0; t < to.rows; ++t)
        add_bias(experts_.down_bias, e, n_embd_, first, n, to.row(t) + first);
    }
  }

  float weight(int pair) const { return experts_.weigh_input ? 1.0f : choice_.weight[pair]; }

  void combine(int t) const {
    float* out = out_.row(t);
    for (int j = 0; j < choice_.n_used; ++j) {
      const int pair = t * choice_.n_used + j;
      const float* from = result(s_.place_of_[pair], 1).data;
      const float scale = weight(pair);
      for (int i = 0; i < n_embd_; ++i) out[i] += scale * from[i];
    }
  }

  void make_hidden_rows(int t, int j, int first, int n, int thread) const {
    const int e = choice_.expert[t * choice_.n_used + j], x = experts_.weigh_input ? j : 0;
    std::byte* memory = context_.scratch.panel(thread);
    alignas(64) float sums[kMaxTaskRows];
    float* h = hidden(j, 1).data + first;
    const bool gated = !experts_.gate.empty();
    if (gated) {
      multiply_rows(experts_.gate[e], kind(experts_.gate[e]), first, packed_x_, x, memory,
                    one(h, n));
      add_bias(experts_.gate_bias, e, n_ff_, first, n, h);
    }
    multiply_rows(experts_.up[e], kind(experts_.up[e]), first, packed_x_, x, memory, one(sums, n));
    add_bias(experts_.up_bias, e, n_ff_, first, n, sums);
    f_(gated ? h : nullptr, sums, n, h);
  }

  void make_out_rows(int t, int first, int n, int thread) const {
    alignas(64) float sums[kMaxTaskRows];
    float* out = out_.row(t) + first;
    for (int j = 0; j < choice_.n_used; ++j) {
      const int pair = t * choice_.n_used + j, e = choice_.expert[pair];
      multiply_rows(experts_.down[e], kind(experts_.down[e]), first, packed_hidden_, j,
                    context_.scratch.panel(thread), one(sums, n));
      add_bias(experts_.down_bias, e, n_embd_, first, n, sums);
      const float scale = weight(pair);
      for (int i = 0; i < n; ++i) out[i] += scale * sums[i];
    }
  }

  const MatmulContext& context_;
  ThreadPool& pool_;
  const MoeScratch& s_;
  const Experts& experts_;
  const Choice& choice_;
  const ExpertActivation f_;
  const ConstRows x_;
  const Rows out_;
  const FunctionRef<bool()> go_on_;
  const int n_embd_, n_ff_;
  const kernels::OpsKernels& ops_ = kernels::ops_kernels();
  PackedX packed_x_, packed_hidden_;
  Kinds x_kinds_{}, hidden_kinds_{};
};

void moe(const MatmulContext& context, MoeScratch& scratch, const Experts& experts,
         const Choice& choice, ExpertActivation f, ConstRows x, Rows out,
         FunctionRef<bool()> go_on) {
  MoeRun run(context, scratch, experts, choice, f, x, out, go_on);
  if (context.phase == Phase::kPrompt) return run.prompt();
  for (int t = 0; t < x.rows && go_on(); ++t) run.generation(t);
}

}  // namespace nibble
