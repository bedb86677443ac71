// Matrix products of the decoder, and whether the batch was told to stop: nothing more is computed
// then.
#pragma once

#include <span>

#include "core/models/weights.h"
#include "core/ops/input_watch.h"
#include "core/ops/matmul.h"

namespace nibble {

class Products {
 public:
  static constexpr size_t kMaxAdapted = 3;  // products of one x that adapters may change

  // low_rank: kMaxAdapted times the largest rank of the weights' adapters, for each token.
  Products(ThreadPool& pool, MatmulScratch& scratch, bool exact, std::span<float> low_rank = {})
      : pool_(pool), scratch_(scratch), exact_(exact), low_rank_(low_rank) {}

  // The batch that follows: its phase and whom to ask whether to go on.
  void begin(Phase phase, FunctionRef<bool()> go_on) {
    phase_ = phase;
    go_on_ = go_on;
    stopped_ = false;
  }
  bool stopped() const { return stopped_; }
  // Asks; true when the batch was or is to be stopped, and then nothing more is computed.
  bool ask() {
    if (!stopped_ && !go_on_()) stopped_ = true;
    return stopped_;
  }

  // watch, or null: told the inputs of each product from now on. Costs time and memory.
  void set_watch(InputWatch* watch) { watch_ = watch; }
  InputWatch* watch() const { return watch_; }

  MatmulContext context() { return {pool_, scratch_, phase_, exact_, go_on_}; }
  // As matmul() of core/ops/matmul.h, and out += B (A x) where an adapter changes a matrix.
  void run(int n_tokens, int n_cols, RowSource x, std::span<const Product> products);
  void run(ConstRows x, std::span<const Product> products);

 private:
  void reduce(int n_tokens, int n_cols, RowSource x, std::span<const Product> products);
  void expand(int n_tokens, std::span<const Product> products);
  void tell(int n_tokens, int n_cols, RowSource x, std::span<const Product> products);
  void tell(ConstRows x, std::span<const Product> products);

  ThreadPool& pool_;
  MatmulScratch& scratch_;
  bool exact_;
  std::span<float> low_rank_;  // [n_tokens, ranks of the products]: A x
  Phase phase_ = Phase::kPrompt;
  FunctionRef<bool()> go_on_ = kAlways;
  bool stopped_ = false;
  InputWatch* watch_ = nullptr;
};

// out (+)= linear(x).
inline Product product_of(const Linear& linear, Rows out, bool add = false) {
  return {&linear.w, linear.bias, out, add};
}

// Columns [first, first + n) of rows.
inline Rows columns(const Rows& rows, int first, int n) {
  return {rows.data + first, rows.rows, n, rows.stride};
}
// Rows [first, first + n).
inline Rows row_range(const Rows& rows, int first, int n) {
  return {rows.row(first), n, rows.cols, rows.stride};
}

}  // namespace nibble
