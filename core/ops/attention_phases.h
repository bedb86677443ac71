// The two ways of attention(): prompt tokens in blocks, generated tokens by chunks. Internal to
// core/ops.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/ops/attention.h"
#include "core/ops/kernels/kernels.h"

namespace nibble {

static_assert(kernels::kChunkKeys == kKvChunk);
inline constexpr float kLowestScore =
    -3e38f;  // below any score; finite, so that two differ by a number

// The oldest position that a query at `position` sees.
inline int first_visible(const AttentionOptions& options, int position) {
  int first = 0;
  if (options.window > 0) first = std::max(first, position - options.window + 1);
  if (options.chunk > 0) first = std::max(first, position / options.chunk * options.chunk);
  return first;
}

// Bytes of one thread's own memory: for prompts a block of queries and a chunk of keys and values,
// for generation a group of queries.
size_t attention_block_bytes(int n_head, int d_k, int d_v);
// Chunks that n_ctx positions touch at most.
inline int max_chunks(int n_ctx) { return (n_ctx + kKvChunk - 1) / kKvChunk + 1; }

struct AttentionCall {
  const AttentionScratch& scratch;
  const AttentionOptions& options;
  const KvLayer& kv;
  int first_position;
  ConstRows q;
  Rows out;
};

void attend_prompt(ThreadPool& pool, const AttentionCall& call);
void attend_token(ThreadPool& pool, const AttentionCall& call);  // q and out of one row

}  // namespace nibble
