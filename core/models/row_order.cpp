// See row_order.h. Sources: convert_hf_to_gguf's permute() and its reshaping of query_key_value.
#include "core/models/row_order.h"

namespace nibble {

int64_t RowOrder::stored(int64_t row) const {
  if (is_same()) return row;
  const int64_t head = row / d_head, i = row % d_head;
  if (fix == Fix::kRopeRows) return head * d_head + i % 2 * (d_head / 2) + i / 2;
  const int64_t per_group = n_head / n_head_kv;
  const bool query = head < n_head;
  const int64_t other = head - n_head;  // among keys, then values
  const int64_t group = query ? head / per_group : other % n_head_kv;
  const int64_t place = query ? head % per_group : per_group + other / n_head_kv;
  return (group * (per_group + 2) + place) * d_head + i;
}

}  // namespace nibble
