// Where the rows of a GGUF tensor stand in Hugging Face's layout of it.
#pragma once

#include <cstdint>

#include "core/models/architecture.h"

namespace nibble {

struct RowOrder {
  Fix fix = Fix::kNone;  // kRopeRows and kGroupedQkv move rows
  int64_t d_head = 0, n_head = 0, n_head_kv = 0;

  RowOrder() = default;
  RowOrder(const TensorSpec& spec, const Hparams& h)
      : fix(spec.fix), d_head(h.d_k), n_head(h.n_head), n_head_kv(h.n_head_kv) {}
  bool is_same() const { return fix != Fix::kRopeRows && fix != Fix::kGroupedQkv; }
  // Row `row` of the GGUF matrix is this row of the Hugging Face matrix; of a part, of the part.
  int64_t stored(int64_t row) const;
};

}  // namespace nibble
