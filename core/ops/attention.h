// Causal grouped-query attention over a KV cache, in chunks of keys of fixed size that are merged
// in order (online softmax: Milakov 2018, arXiv:1805.02867; FlashAttention: Dao 2022,
// arXiv:2205.14135). Never holds an n by n matrix. A chunk is kKvChunk positions, aligned to a
// multiple of it, so that one query's sums depend neither on how many queries nor on how many
// threads work at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/thread_pool.h"
#include "core/ops/kv_format.h"
#include "core/ops/matmul.h"
#include "core/tensor/rows.h"

namespace nibble {

inline constexpr int kKvChunk = 64;

// One layer's cache: for each KV head its keys [capacity, d_k] and values [capacity, d_v], position
// p in slot p % capacity; capacity is a multiple of kKvChunk. Does not own.
struct KvLayer {
  KvTypes types;
  int n_head_kv = 0;
  int d_k = 0;
  int d_v = 0;
  int capacity = 0;
  // A value is the first d_v numbers of its key (MLA); values is unused, types.values that of keys.
  bool values_in_keys = false;
  std::byte* keys = nullptr;
  std::byte* values = nullptr;

  // From one key or value of a head to the next.
  size_t key_bytes() const { return kv_row_bytes(types.keys, d_k); }
  size_t value_bytes() const {
    return values_in_keys ? key_bytes() : kv_row_bytes(types.values, d_v);
  }
  std::byte* key(int head, int slot) const {
    return keys + (static_cast<size_t>(head) * capacity + slot) * key_bytes();
  }
  std::byte* value(int head, int slot) const {
    if (values_in_keys) return key(head, slot);
    return values + (static_cast<size_t>(head) * capacity + slot) * value_bytes();
  }
};

// Stores the keys and values of one token: k [n_head_kv * d_k], already rotated, v [n_head_kv *
// d_v].
void kv_store(const KvLayer& kv, int position, const float* k, const float* v);

struct AttentionOptions {
  int n_head = 0;        // query heads; a multiple of n_head_kv
  float scale = 1.0f;    // of the scores
  float softcap = 0.0f;  // 0: none; scores become cap * tanh(score / cap)
  int window = 0;        // 0: none; a position sees itself and the window - 1 before it
  int chunk = 0;         // 0: none; a position sees only its own chunk of this many (Llama 4)
  const float* sinks = nullptr;  // [n_head]: one more logit in the softmax's denominator (gpt-oss)
  const float* alibi_slopes =
      nullptr;  // [n_head]: slope * (key - query) is added to the scaled score
};

class AttentionScratch {
 public:
  // For caches whose positions stay below n_ctx.
  static size_t bytes_needed(int n_head, int d_k, int d_v, int n_ctx, int n_threads);
  AttentionScratch(Arena& arena, int n_head, int d_k, int d_v, int n_ctx, int n_threads);

 private:
  friend class PromptAttention;
  friend class TokenAttention;
  std::byte* own_ =
      nullptr;  // own_bytes_ for each thread: a block of queries and a chunk of keys and values
  size_t own_bytes_ = 0;
  float* parts_ = nullptr;  // generation: [chunk, n_head]: maximum, sum, weighted values
  std::atomic<int>* chunks_left_ = nullptr;  // generation: [n_head_kv]
  int n_ctx_ = 0;
  int n_threads_ = 0;
};

// Queries q [n_tokens, n_head * d_k] at positions first_position + t, already rotated; their keys
// and values are in the cache. out [n_tokens, n_head * d_v]. Phase kPrompt: blocked, for any
// n_tokens; kGeneration: each token by itself, the range of keys shared out over threads.
void attention(ThreadPool& pool, AttentionScratch& scratch, const AttentionOptions& options,
               const KvLayer& kv, Phase phase, int first_position, ConstRows q, Rows out);

}  // namespace nibble
