// See row_order.h. Sources: convert_hf_to_gguf's permute() and its reshaping of query_key_value.
#include "core/models/row_order.h"

namespace nibble {
namespace {

// Pairs (2j, 2j + 1) of each head from halves (j, j + d / 2).
int64_t from_halves(int64_t row, int64_t d) {
  const int64_t i = row % d;
  return row - i + i / 2 + (i % 2 ? d / 2 : 0);
}

// All queries, all keys, all values from KV groups: their queries, key, value.
int64_t from_groups(int64_t row, const Hparams& h) {
  const int64_t d = h.d_k, per_kv = h.n_head / h.n_head_kv, group_rows = (per_kv + 2) * d;
  const int64_t head = row / d;
  int64_t group, place;
  if (head < h.n_head) {
    group = head / per_kv, place = head % per_kv;
  } else {
    const int64_t kv = head - h.n_head;
    group = kv % h.n_head_kv, place = per_kv + kv / h.n_head_kv;
  }
  return group * group_rows + place * d + row % d;
}

}  // namespace

int64_t hf_row(const TensorSpec& spec, const Hparams& hparams, int64_t row) {
  switch (spec.fix) {
    case Fix::kRopeRows:
      return from_halves(row, hparams.d_k);
    case Fix::kGroupedQkv:
      return from_groups(row, hparams);
    default:
      return row;
  }
}

}  // namespace nibble
