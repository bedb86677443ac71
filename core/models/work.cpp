#include "core/models/work.h"

#include <algorithm>

#include "core/models/architecture.h"
#include "core/models/weights.h"

namespace nibble {
namespace {

// Keys that n tokens from position `first` on see together.
double keys_seen(int first, int n, int window) {
  double sum = 0;
  for (int p = first; p < first + n; ++p) sum += window ? std::min(p + 1, window) : p + 1;
  return sum;
}

// The same, on average over the layers.
double keys_seen(const Model& model, int first, int n) {
  const Hparams& h = model.hparams();
  double sum = 0;
  for (int i = 0; i < h.n_layer; ++i) {
    const BlockOptions o = model.architecture().block(h, i);
    sum += keys_seen(first, n, o.chunk ? o.chunk : o.window);
  }
  return sum / h.n_layer;
}

double attention_macs(const Model& model, int first, int n) {
  const Hparams& h = model.hparams();
  return keys_seen(model, first, n) * h.n_layer * h.n_head * (h.d_k + h.d_v);
}

}  // namespace

Work prompt_work(const Model& model, int n, int n_batch) {
  const Weights& w = model.weights();
  const double n_batches = (n + n_batch - 1) / n_batch;
  const double output = double(w.output.w.n_rows) * w.output.w.n_cols;
  return {
      .n_bytes = n_batches * static_cast<double>(n == 1 ? w.bytes_per_token : w.bytes_per_batch),
      .n_macs = n * (static_cast<double>(w.macs_per_token) - output) + output +
                attention_macs(model, 0, n)};
}

Work generation_work(const Model& model, int first, int n, double kv_bytes) {
  const Weights& w = model.weights();
  return {
      .n_bytes = n * static_cast<double>(w.bytes_per_token) + kv_bytes * keys_seen(model, first, n),
      .n_macs = n * static_cast<double>(w.macs_per_token) + attention_macs(model, first, n)};
}

}  // namespace nibble
