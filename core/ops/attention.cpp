#include "core/ops/attention.h"

#include <memory>

#include "core/base/assert.h"
#include "core/ops/attention_phases.h"

namespace nibble {

void kv_store(const KvLayer& kv, int position, const float* k, const float* v) {
  const int slot = position % kv.capacity;
  const kernels::KvRowKernels* rows = kernels::ops_kernels().kv_rows;
  const auto write_key = rows[static_cast<int>(kv.types.keys)].write;
  const auto write_value = rows[static_cast<int>(kv.types.values)].write;
  for (int h = 0; h < kv.n_head_kv; ++h) {
    write_key(k + static_cast<size_t>(h) * kv.d_k, kv.d_k, kv.key(h, slot));
    if (!kv.values_in_keys)
      write_value(v + static_cast<size_t>(h) * kv.d_v, kv.d_v, kv.value(h, slot));
  }
}

size_t AttentionScratch::bytes_needed(int n_head, int d_k, int d_v, int n_ctx, int n_threads) {
  const size_t part = size_t(n_head) * (d_v + 2) * sizeof(float);
  return n_threads * Arena::aligned(attention_block_bytes(n_head, d_k, d_v)) +
         Arena::aligned(max_chunks(n_ctx) * part) +
         Arena::aligned(n_head * sizeof(std::atomic<int>));
}

AttentionScratch::AttentionScratch(Arena& arena, int n_head, int d_k, int d_v, int n_ctx,
                                   int n_threads)
    : own_bytes_(Arena::aligned(attention_block_bytes(n_head, d_k, d_v))),
      n_ctx_(n_ctx),
      n_threads_(n_threads) {
  own_ = arena.take_bytes(n_threads * own_bytes_);
  parts_ = arena.take<float>(size_t(max_chunks(n_ctx)) * n_head * (d_v + 2)).data();
  chunks_left_ = arena.take<std::atomic<int>>(n_head).data();
  std::uninitialized_value_construct_n(chunks_left_, n_head);
}

void attention(ThreadPool& pool, AttentionScratch& scratch, const AttentionOptions& options,
               const KvLayer& kv, Phase phase, int first_position, ConstRows q, Rows out) {
  NIBBLE_ASSERT(options.n_head % kv.n_head_kv == 0 && q.cols == options.n_head * kv.d_k);
  NIBBLE_ASSERT(out.cols == options.n_head * kv.d_v && out.rows == q.rows &&
                kv.capacity % kKvChunk == 0);
  if (phase == Phase::kPrompt)
    return attend_prompt(pool, {scratch, options, kv, first_position, q, out});
  for (int t = 0; t < q.rows; ++t)
    attend_token(pool, {scratch,
                        options,
                        kv,
                        first_position + t,
                        ConstRows(q.row(t), 1, q.cols, q.stride),
                        {out.row(t), 1, out.cols, out.stride}});
}

}  // namespace nibble
