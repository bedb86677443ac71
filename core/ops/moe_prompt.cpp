// A mixture of experts over prompt tokens: grouped by expert, whose panels are expanded once for
// all of its tiles.
#include <algorithm>
#include <vector>

#include "core/base/assert.h"
#include "core/ops/moe_phases.h"

namespace nibble {
namespace {

using quant::kTileTokens;

constexpr double kPieceProducts = 4e9;  // multiplications between two questions: some 10 ms

}  // namespace

class PromptMoe : MoeCall {
 public:
  PromptMoe(const MoeCall& call, FunctionRef<bool()> go_on) : MoeCall(call), go_on_(go_on) {}

  void run() {
    group();
    const int n_tiles = scratch_.first_tile_[scratch_.n_expert_];
    pool_.run(n_tiles, [&](int i, int thread) { gather(i, thread); });
    if (!by_expert(n_ff_, [&](const ExpertRows& rows) { make_hidden(rows); })) return;
    if (experts_.watch) tell();
    pool_.run(n_tiles, [&](int i, int) {
      packed_hidden_.pack_tile(hidden_kinds_, i, hidden(i * kTileTokens, n_tokens(i)));
    });
    if (by_expert(n_embd_, [&](const ExpertRows& rows) { make_result(rows); }))
      pool_.run(x_.rows, [&](int t, int) { combine(t); });
  }

 private:
  static constexpr int kStride = Panel::kMaxRows;

  Rows result(int place, int n) const {
    return {scratch_.result_ + static_cast<size_t>(place) * n_embd_, n, n_embd_,
            static_cast<size_t>(n_embd_)};
  }

  // Pairs (token, slot) by expert, in the order of tokens; each expert begins a tile.
  void group() const {
    const int n_pairs = x_.rows * choice_.n_used, n_expert = scratch_.n_expert_;
    std::fill_n(scratch_.next_place_, n_expert, 0);  // first: how many pairs
    for (int i = 0; i < n_pairs; ++i) {
      NIBBLE_ASSERT(choice_.expert[i] >= 0 && choice_.expert[i] < n_expert);
      ++scratch_.next_place_[choice_.expert[i]];
    }
    scratch_.first_tile_[0] = 0;
    for (int e = 0; e < n_expert; ++e) {
      scratch_.first_tile_[e + 1] =
          scratch_.first_tile_[e] + static_cast<int>(whole_tiles(scratch_.next_place_[e]));
      scratch_.next_place_[e] = scratch_.first_tile_[e] * kTileTokens;
    }
    std::fill_n(scratch_.pair_of_, scratch_.first_tile_[n_expert] * kTileTokens, -1);
    for (int i = 0; i < n_pairs; ++i) {
      const int place = scratch_.next_place_[choice_.expert[i]]++;
      scratch_.pair_of_[place] = i;
      scratch_.place_of_[i] = place;
    }
  }
  int n_tiles(int e) const { return scratch_.first_tile_[e + 1] - scratch_.first_tile_[e]; }
  int n_tokens(int tile) const {
    const int* pairs = scratch_.pair_of_ + tile * kTileTokens;
    return static_cast<int>(std::find(pairs, pairs + kTileTokens, -1) - pairs);
  }

  void gather(int tile, int thread) const {
    const Rows rows{context_.scratch.x_rows(thread), n_tokens(tile), n_embd_,
                    static_cast<size_t>(n_embd_)};
    for (int i = 0; i < rows.rows; ++i)
      copy_x(scratch_.pair_of_[tile * kTileTokens + i], rows.row(i));
    packed_x_.pack_tile(x_kinds_, tile, rows);
  }

  // What each expert's matrices are multiplied with, to the watch.
  void tell() const {
    std::vector<float> input(static_cast<size_t>(kTileTokens) * n_embd_);
    for (int e = 0; e < scratch_.n_expert_; ++e)
      for (int tile = scratch_.first_tile_[e]; tile < scratch_.first_tile_[e + 1]; ++tile) {
        const Rows x{input.data(), n_tokens(tile), n_embd_, static_cast<size_t>(n_embd_)};
        for (int i = 0; i < x.rows; ++i)
          copy_x(scratch_.pair_of_[tile * kTileTokens + i], x.row(i));
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

  Panel panel_of(std::span<const Matrix> w, const ExpertRows& rows) const {
    return {w[rows.e], kind(w[rows.e]), rows.first,
            rows.n,    n_tiles(rows.e), context_.scratch.panel(rows.thread)};
  }

  // Behind the last expert of a piece of bounded work that begins with expert e.
  int piece_end(int e) const {
    double products = 0;
    while (e < scratch_.n_expert_ && products < kPieceProducts) {
      products += 2.0 * n_embd_ * n_ff_ * kTileTokens * n_tiles(e);
      ++e;
    }
    return e;
  }

  // task(rows) for n_rows rows of all experts that have tokens; false: told to stop.
  template <class Task>
  bool by_expert(int n_rows, Task task) {
    const int rows = rows_of_panel();
    const int per_expert = (n_rows + rows - 1) / rows;
    for (int begin = 0, end; begin < scratch_.n_expert_; begin = end) {
      if (!go_on_()) return false;
      end = piece_end(begin);
      pool_.run((end - begin) * per_expert, [&](int i, int thread) {
        const int e = begin + i / per_expert, first = i % per_expert * rows;
        if (n_tiles(e) > 0) task({e, first, std::min(rows, n_rows - first), thread});
      });
    }
    return true;
  }

  // to(first place, tokens of a tile)[t, r] = w[r] . x[t] + bias[r] for the rows that are asked
  // for.
  template <class To>
  void multiply(std::span<const Matrix> w, const float* bias, const PackedX& x,
                const ExpertRows& rows, To to) const {
    Panel panel = panel_of(w, rows);
    for (int tile = scratch_.first_tile_[rows.e]; tile < scratch_.first_tile_[rows.e + 1]; ++tile) {
      const Rows out = to(tile * kTileTokens, n_tokens(tile));
      panel.multiply(x, tile, out.rows, out.data + rows.first, out.stride);
      for (int t = 0; t < out.rows; ++t) add_bias(bias, out.cols, rows, out.row(t) + rows.first);
    }
  }

  void make_hidden(const ExpertRows& rows) const {
    const auto to = [&](int place, int n) { return hidden(place, n); };
    if (!experts_.gate.empty()) multiply(experts_.gate, experts_.gate_bias, packed_x_, rows, to);
    Panel up = panel_of(experts_.up, rows);
    alignas(64) float sums[kTileTokens * kStride];
    for (int tile = scratch_.first_tile_[rows.e]; tile < scratch_.first_tile_[rows.e + 1]; ++tile) {
      const Rows out = hidden(tile * kTileTokens, n_tokens(tile));
      up.multiply(packed_x_, tile, out.rows, sums, kStride);
      for (int t = 0; t < out.rows; ++t) {
        add_bias(experts_.up_bias, n_ff_, rows, sums + t * kStride);
        activate(sums + t * kStride, rows.n, out.row(t) + rows.first);
      }
    }
  }

  void make_result(const ExpertRows& rows) const {
    multiply(experts_.down, experts_.down_bias, packed_hidden_, rows,
             [&](int place, int n) { return result(place, n); });
  }

  void combine(int t) const {
    float* out = out_.row(t);
    for (int j = 0; j < choice_.n_used; ++j) {
      const int pair = t * choice_.n_used + j;
      const float* from = result(scratch_.place_of_[pair], 1).data;
      const float scale = weight(pair);
      for (int i = 0; i < n_embd_; ++i) out[i] += scale * from[i];
    }
  }

  const FunctionRef<bool()> go_on_;
};

void moe_prompt(const MoeCall& call, FunctionRef<bool()> go_on) { PromptMoe(call, go_on).run(); }

}  // namespace nibble
