// See calibrate.h.
#include "core/pipeline/calibrate.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/models/weights.h"
#include "core/ops/input_watch.h"

namespace nibble {
namespace {

constexpr int kBatch = 512;
constexpr int kTaskColumns = 256;

// Sums of squares of each matrix's columns. Matrices are known by where their weights lie; parts of
// a fused one have the same inputs, and only the first part is known.
class Collector final : public InputWatch {
 public:
  Collector(const Weights& weights, ThreadPool& pool) : pool_(pool) {
    weights.visit([&](std::string_view tensor, size_t i, size_t n, const Matrix& w) {
      const auto n_cols = static_cast<size_t>(w.n_cols);
      Sums& sums = tensors_[std::string(tensor)];
      sums.columns.resize(n * n_cols);
      sums.counts.resize(n);
      places_.emplace(key_of(w), Place{&sums, i});
    });
  }

  void seen(const Matrix& w, ConstRows x) override {
    const auto at = places_.find(key_of(w));
    if (at == places_.end()) return;
    const Place& place = at->second;
    double* columns = place.sums->columns.data() + place.i * static_cast<size_t>(x.cols);
    pool_.run((x.cols + kTaskColumns - 1) / kTaskColumns, [&](int task, int) {
      const int first = task * kTaskColumns, last = std::min(first + kTaskColumns, x.cols);
      for (int t = 0; t < x.rows; ++t)
        for (int c = first; c < last; ++c) columns[c] += double{x.row(t)[c]} * x.row(t)[c];
    });
    place.sums->counts[place.i] += x.rows;
  }

  // What was seen at all, by tensor.
  void add_to(Imatrix& imatrix) const {
    for (const auto& [name, sums] : tensors_) {
      if (std::ranges::all_of(sums.counts, [](int64_t n) { return n == 0; })) continue;
      Imatrix::Entry& entry = imatrix.entries[name];
      entry.sums.assign(sums.columns.begin(), sums.columns.end());
      entry.counts.assign(sums.counts.begin(), sums.counts.end());
    }
  }

 private:
  struct Sums {
    std::vector<double> columns;  // [n, n_cols]
    std::vector<int64_t> counts;  // [n]
  };
  struct Place {
    Sums* sums;
    size_t i;
  };
  using Key = std::tuple<const void*, const void*, int64_t>;
  static Key key_of(const Matrix& w) { return {w.data, w.decoder, w.first_row}; }

  ThreadPool& pool_;
  std::map<std::string, Sums, std::less<>> tensors_;
  std::map<Key, Place> places_;
};

}  // namespace

Result<Calibration> calibrate(const Model& model, ThreadPool& pool, const EvalWindows& windows,
                              std::string dataset, PerplexityProgress progress) {
  Collector collector(model.weights(), pool);
  const EngineOptions options{
      .n_ctx = windows.n, .n_batch = std::min(windows.n, kBatch), .watch = &collector};
  NIBBLE_TRY(Engine engine, Engine::create(model, pool, options));
  PerplexitySum sum(windows.n_windows);
  for (int w = 0; w < windows.n_windows; ++w) {
    const auto tokens =
        std::span(windows.tokens).subspan(static_cast<size_t>(w) * windows.n, windows.n);
    const auto score = [&](int i, std::span<const float> logits) {
      if (i >= windows.first_scored() && i + 1 < windows.n)
        sum.add(negative_log_probability(logits, tokens[i + 1]));
      return true;
    };
    const auto go_on = [&](int, int) { return progress(w, windows.n_windows, sum.so_far()); };
    NIBBLE_CHECK(engine.rewind(0));
    NIBBLE_CHECK(engine.prefill_all(tokens, 0, score, go_on));
  }
  Calibration out;
  out.perplexity = sum.result();
  collector.add_to(out.imatrix);
  out.imatrix.datasets = {std::move(dataset)};
  out.imatrix.n_chunks = static_cast<uint64_t>(windows.n_windows);
  out.imatrix.chunk_tokens = static_cast<uint64_t>(windows.n);
  return out;
}

}  // namespace nibble
