// Attention of one generated token: its keys shared out over threads in chunks
// (kernels/token_chunk.cpp), merged in order.
#include <algorithm>
#include <cmath>

#include "core/base/assert.h"
#include "core/ops/attention_phases.h"

namespace nibble {

// One generated token: a task is one chunk of one KV head with its query heads; whoever finishes a
// head's last chunk merges them all, in order.
class TokenAttention {
 public:
  explicit TokenAttention(const AttentionCall& c)
      : scratch_(c.scratch),
        options_(c.options),
        kv_(c.kv),
        position_(c.first_position),
        first_(first_visible(c.options, position_)),
        first_chunk_(first_ / kKvChunk),
        n_chunks_(position_ / kKvChunk - first_chunk_ + 1),
        q_(c.q.row(0)),
        out_(c.out.row(0)),
        group_(c.options.n_head / c.kv.n_head_kv) {
    NIBBLE_ASSERT(n_chunks_ <= max_chunks(scratch_.n_ctx_));
    for (int h = 0; h < kv_.n_head_kv; ++h)
      scratch_.chunks_left_[h].store(n_chunks_, std::memory_order_relaxed);
  }

  int n_tasks() const { return n_chunks_ * kv_.n_head_kv; }

  void operator()(int task, int thread) const {
    const int head_kv = task / n_chunks_;
    attend(head_kv, task % n_chunks_,
           reinterpret_cast<float*>(scratch_.own_ + thread * scratch_.own_bytes_));
    if (scratch_.chunks_left_[head_kv].fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    for (int h = head_kv * group_; h < (head_kv + 1) * group_; ++h) merge(h);
  }

 private:
  float* part(int chunk, int head) const {
    return scratch_.parts_ + (static_cast<size_t>(chunk) * options_.n_head + head) * (kv_.d_v + 2);
  }

  void attend(int head_kv, int chunk, float* q) const {
    const int p = (first_chunk_ + chunk) * kKvChunk, begin = std::max(first_, p),
              end = std::min(position_ + 1, p + kKvChunk);
    const int slot = begin % kv_.capacity, head = head_kv * group_;
    for (int i = 0; i < group_ * kv_.d_k; ++i)
      q[i] = q_[static_cast<size_t>(head) * kv_.d_k + i] * options_.scale;
    kernels::ops_kernels().token_chunk(
        {.q = q,
         .keys = kv_.key(head_kv, slot),
         .values = kv_.value(head_kv, slot),
         .slopes = options_.alibi_slopes ? options_.alibi_slopes + head : nullptr,
         .out = part(chunk, head),
         .out_stride = size_t(kv_.d_v) + 2,
         .softcap = options_.softcap,
         .distance = begin - position_,
         .n_keys = end - begin,
         .n_head = group_,
         .d_k = kv_.d_k,
         .d_v = kv_.d_v,
         .key_bytes = kv_.key_bytes(),
         .value_bytes = kv_.value_bytes(),
         .key_format = static_cast<int>(kv_.types.keys),
         .value_format = static_cast<int>(kv_.types.values)});
  }

  void merge(int head) const {
    float max = options_.sinks ? options_.sinks[head] : kLowestScore;
    for (int c = 0; c < n_chunks_; ++c) max = std::max(max, part(c, head)[0]);
    float sum = options_.sinks ? std::exp(options_.sinks[head] - max) : 0;
    for (int c = 0; c < n_chunks_; ++c) sum += part(c, head)[1] * std::exp(part(c, head)[0] - max);
    float* out = out_ + static_cast<size_t>(head) * kv_.d_v;
    std::fill_n(out, kv_.d_v, 0.0f);
    for (int c = 0; c < n_chunks_; ++c) {
      const float* from = part(c, head);
      const float scale = std::exp(from[0] - max) / sum;
      for (int i = 0; i < kv_.d_v; ++i) out[i] += scale * from[2 + i];
    }
  }

  const AttentionScratch& scratch_;
  const AttentionOptions& options_;
  const KvLayer& kv_;
  const int position_, first_, first_chunk_, n_chunks_;
  const float* q_;
  float* out_;
  const int group_;
};

void attend_token(ThreadPool& pool, const AttentionCall& call) {
  const TokenAttention run(call);
  pool.run(run.n_tasks(), run);
}

}  // namespace nibble
