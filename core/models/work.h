// What running tokens takes at least, to hold measured speeds against a machine's roof: bytes read
// and multiply-adds done, whatever the kernels do.
#pragma once

#include "core/models/model.h"

namespace nibble {

struct Work {
  double n_bytes = 0;  // of weights, each once for a batch, and of the KV cache
  double n_macs = 0;   // with weights and in attention
};

// n prompt tokens at positions 0 .. n - 1 in batches of n_batch, with the logits of the last one.
Work prompt_work(const Model& model, int n, int n_batch);
// n generated tokens, one at a time, at positions first .. first + n - 1. kv_bytes: of one position
// in all layers.
Work generation_work(const Model& model, int first, int n, double kv_bytes);

}  // namespace nibble
