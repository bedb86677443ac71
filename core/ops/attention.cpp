#include "core/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "core/ops/kernels/kernels.h"

namespace nibble {
namespace {

using kernels::kQueryRows;
static_assert(kernels::kChunkKeys == kKvChunk);

// Query rows (token, head of the group) of one prompt task: their values stay in L2, and what a
// chunk costs to expand is paid once for all of them.
constexpr int kTaskRows = 128;
constexpr float kLowest =
    -3e38f;  // below any score; finite, so that differences of two are numbers

int tokens_per_task(int group) { return std::max(1, kTaskRows / group); }
int padded_rows(int group) {
  return (tokens_per_task(group) * group + kQueryRows - 1) / kQueryRows * kQueryRows;
}

int first_visible(const AttentionOptions& options, int position) {
  int first = 0;
  if (options.window > 0) first = std::max(first, position - options.window + 1);
  if (options.chunk > 0) first = std::max(first, position / options.chunk * options.chunk);
  return first;
}

// n values of the cache as f32; whether all are finite.
bool expand(KvFormat format, const std::byte* from, size_t n, float* out) {
  const kernels::OpsKernels& k = kernels::ops_kernels();
  const int count = static_cast<int>(n);
  if (format == KvFormat::kF32) return k.copy(reinterpret_cast<const float*>(from), count, out);
  return k.from_half(reinterpret_cast<const uint16_t*>(from), count, out);
}

// A thread's own memory in a prompt.
struct Block {
  Block(std::byte* memory, int rows, int d_k, int d_v) {
    float* at = reinterpret_cast<float*>(memory);
    const auto take = [&at](size_t n) {
      return std::exchange(at, at + Arena::aligned(n * sizeof(float)) / sizeof(float));
    };
    q = take(size_t(rows) * d_k);
    out = take(size_t(rows) * d_v);
    keys = take(size_t{kKvChunk} * d_k);
    values = take(size_t{kKvChunk} * d_v);
    scores = take(size_t{kKvChunk} * kQueryRows);
    for (float** p : {&max, &sum, &first, &last, &slopes}) *p = take(rows);
    n_floats = at - reinterpret_cast<float*>(memory);
  }
  float *q, *out, *keys, *values, *scores, *max, *sum, *first, *last, *slopes;
  size_t n_floats;
};

// The worst group is one where all query heads share a KV head, or none do.
size_t block_bytes(int n_head, int d_k, int d_v) {
  const int rows = std::max(padded_rows(1), padded_rows(n_head));
  return Block(nullptr, rows, d_k, d_v).n_floats * sizeof(float);
}

int n_chunks(int n_ctx) { return (n_ctx + kKvChunk - 1) / kKvChunk + 1; }

}  // namespace

void kv_store(const KvLayer& kv, int position, const float* k, const float* v) {
  const int slot = position % kv.capacity;
  const auto put = [&](const float* from, int n, std::byte* to) {
    if (kv.format == KvFormat::kF32)
      std::memcpy(to, from, n * sizeof(float));
    else
      kernels::ops_kernels().to_half(from, n, reinterpret_cast<uint16_t*>(to));
  };
  for (int h = 0; h < kv.n_head_kv; ++h) {
    put(k + static_cast<size_t>(h) * kv.d_k, kv.d_k, kv.key(h, slot));
    if (!kv.values_in_keys) put(v + static_cast<size_t>(h) * kv.d_v, kv.d_v, kv.value(h, slot));
  }
}

size_t AttentionScratch::bytes_needed(int, int n_head, int d_k, int d_v, int n_ctx, int n_threads) {
  const size_t part = size_t(n_head) * (d_v + 2) * sizeof(float);
  return n_threads * Arena::aligned(block_bytes(n_head, d_k, d_v)) +
         Arena::aligned(n_chunks(n_ctx) * part) + Arena::aligned(n_head * sizeof(std::atomic<int>));
}

AttentionScratch::AttentionScratch(Arena& arena, int, int n_head, int d_k, int d_v, int n_ctx,
                                   int n_threads)
    : own_bytes_(Arena::aligned(block_bytes(n_head, d_k, d_v))),
      n_ctx_(n_ctx),
      n_threads_(n_threads) {
  own_ = arena.take_bytes(n_threads * own_bytes_);
  parts_ = arena.take<float>(size_t(n_chunks(n_ctx)) * n_head * (d_v + 2)).data();
  chunks_left_ = arena.take<std::atomic<int>>(n_head).data();
  std::uninitialized_value_construct_n(chunks_left_, n_head);
}

// Prompt tokens: a task is a block of tokens with the query heads of one KV head, over all chunks
// that any of them sees.
class PromptAttention {
 public:
  PromptAttention(const AttentionScratch& scratch, const AttentionOptions& options,
                  const KvLayer& kv, int first_position, ConstRows q, Rows out)
      : scratch_(scratch),
        options_(options),
        kv_(kv),
        position_(first_position),
        q_(q),
        out_(out),
        group_(options.n_head / kv.n_head_kv) {}

  int n_blocks() const { return (q_.rows + tokens_per_task(group_) - 1) / tokens_per_task(group_); }

  // Later blocks see more: they come first.
  void operator()(int task, int thread) const {
    const int head_kv = task % kv_.n_head_kv, block = n_blocks() - 1 - task / kv_.n_head_kv;
    const int t = block * tokens_per_task(group_),
              n = std::min(tokens_per_task(group_), q_.rows - t);
    const int rows = (n * group_ + kQueryRows - 1) / kQueryRows * kQueryRows;
    const Block b(scratch_.own_ + thread * scratch_.own_bytes_, rows, kv_.d_k, kv_.d_v);
    fill(b, head_kv, t, n, rows);
    const int first = first_visible(options_, position_ + t), last = position_ + t + n - 1;
    for (int p = first / kKvChunk * kKvChunk; p <= last; p += kKvChunk)
      attend(b, head_kv, p, first, last, rows);
    if (options_.sinks) add_sinks(b, head_kv, n);
    write(b, head_kv, t, n);
  }

 private:
  // Where row r of a matrix in tiles of width d begins; its values stand kQueryRows apart.
  static float* in_tile(float* tiles, int r, int d) {
    return tiles + static_cast<size_t>(r / kQueryRows) * kQueryRows * d + r % kQueryRows;
  }

  int token(int t, int r) const { return t + r / group_; }
  int head(int head_kv, int r) const { return head_kv * group_ + r % group_; }

  // Query rows, transposed, and their empty sums. Rows past the last see the same as the last.
  void fill(const Block& b, int head_kv, int t, int n, int rows) const {
    const auto query = [&](int r) { return std::min(r, n * group_ - 1); };
    for (int r = 0; r < rows; r += 4) {
      const float* from[4];
      const float scales[4] = {options_.scale, options_.scale, options_.scale, options_.scale};
      for (int k = 0; k < 4; ++k)
        from[k] = q_.row(token(t, query(r + k))) + size_t(head(head_kv, query(r + k))) * kv_.d_k;
      kernels::ops_kernels().rows_to_tile(from, scales, kv_.d_k, in_tile(b.q, r, kv_.d_k));
    }
    for (int r = 0; r < rows; ++r) {
      const int position = position_ + token(t, query(r));
      b.first[r] = static_cast<float>(first_visible(options_, position));
      b.last[r] = static_cast<float>(position);
      b.slopes[r] = options_.alibi_slopes ? options_.alibi_slopes[head(head_kv, query(r))] : 0;
      b.max[r] = kLowest;
      b.sum[r] = 0;
    }
    std::fill_n(b.out, static_cast<size_t>(rows) * kv_.d_v, 0.0f);
  }

  // Keys or values [begin, end) of a chunk as f32, zeros around them; whether all are finite.
  bool expand_chunk(const std::byte* from, int width, int begin, int end, float* out) const {
    std::fill(out, out + begin * width, 0.0f);
    std::fill(out + end * width, out + kKvChunk * width, 0.0f);
    return expand(kv_.format, from, size_t(end - begin) * width, out + begin * width);
  }

  // The chunk at position p against all rows; keys outside [first, last] are not even read.
  void attend(const Block& b, int head_kv, int p, int first, int last, int rows) const {
    const int begin = std::max(first - p, 0), end = std::min(last - p + 1, kKvChunk);
    const int slot = p % kv_.capacity + begin;
    bool finite = expand_chunk(kv_.key(head_kv, slot), kv_.d_k, begin, end, b.keys);
    if (!kv_.values_in_keys)
      finite = expand_chunk(kv_.value(head_kv, slot), kv_.d_v, begin, end, b.values);
    const int n_keys = (end + 7) / 8 * 8;
    const bool masked = n_keys != end || p < static_cast<int>(b.first[rows - 1]) ||
                        p + end - 1 > static_cast<int>(b.last[0]);
    kernels::ops_kernels().prompt_chunk({.q = b.q,
                                         .out = b.out,
                                         .max = b.max,
                                         .sum = b.sum,
                                         .first = b.first,
                                         .last = b.last,
                                         .slopes = options_.alibi_slopes ? b.slopes : nullptr,
                                         .keys = b.keys,
                                         .values = kv_.values_in_keys ? b.keys : b.values,
                                         .scores = b.scores,
                                         .softcap = options_.softcap,
                                         .position = p,
                                         .n_keys = n_keys,
                                         .n_rows = rows,
                                         .d_k = kv_.d_k,
                                         .d_v = kv_.d_v,
                                         .value_stride = kv_.value_stride(),
                                         .masked = masked,
                                         .wild_values = !finite});
  }

  void add_sinks(const Block& b, int head_kv, int n) const {
    for (int r = 0; r < n * group_; ++r)
      b.sum[r] += std::exp(options_.sinks[head(head_kv, r)] - b.max[r]);
  }

  void write(const Block& b, int head_kv, int t, int n) const {
    for (int r = 0; r < n * group_; r += 4) {
      float* to[4];
      float scales[4];
      for (int k = 0; k < 4; ++k) {  // rows past the last are copies of it
        const int row = std::min(r + k, n * group_ - 1);
        to[k] = out_.row(token(t, row)) + static_cast<size_t>(head(head_kv, row)) * kv_.d_v;
        scales[k] = 1 / b.sum[row];
      }
      kernels::ops_kernels().tile_to_rows(in_tile(b.out, r, kv_.d_v), scales, kv_.d_v, to);
    }
  }

  const AttentionScratch& scratch_;
  const AttentionOptions& options_;
  const KvLayer& kv_;
  const int position_;
  const ConstRows q_;
  const Rows out_;
  const int group_;
};

// One generated token: a task is one chunk of one KV head with its query heads; whoever finishes a
// head's last chunk merges them all, in order.
class TokenAttention {
 public:
  TokenAttention(const AttentionScratch& scratch, const AttentionOptions& options,
                 const KvLayer& kv, int position, const float* q, float* out)
      : scratch_(scratch),
        options_(options),
        kv_(kv),
        position_(position),
        first_(first_visible(options, position)),
        first_chunk_(first_ / kKvChunk),
        n_chunks_(position / kKvChunk - first_chunk_ + 1),
        q_(q),
        out_(out),
        group_(options.n_head / kv.n_head_kv) {
    NIBBLE_ASSERT(n_chunks_ <= n_chunks(scratch.n_ctx_));
    for (int h = 0; h < kv.n_head_kv; ++h)
      scratch.chunks_left_[h].store(n_chunks_, std::memory_order_relaxed);
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
         .value_stride = kv_.value_stride(),
         .half = kv_.format == KvFormat::kF16});
  }

  void merge(int head) const {
    float max = options_.sinks ? options_.sinks[head] : kLowest;
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

void attention(ThreadPool& pool, AttentionScratch& scratch, const AttentionOptions& options,
               const KvLayer& kv, Phase phase, int first_position, ConstRows q, Rows out) {
  NIBBLE_ASSERT(options.n_head % kv.n_head_kv == 0 && q.cols == options.n_head * kv.d_k);
  NIBBLE_ASSERT(out.cols == options.n_head * kv.d_v && out.rows == q.rows &&
                kv.capacity % kKvChunk == 0);
  if (phase == Phase::kPrompt) {
    const PromptAttention run(scratch, options, kv, first_position, q, out);
    pool.run(run.n_blocks() * kv.n_head_kv, run);
    return;
  }
  for (int t = 0; t < q.rows; ++t) {
    const TokenAttention run(scratch, options, kv, first_position + t, q.row(t), out.row(t));
    pool.run(run.n_tasks(), run);
  }
}

}  // namespace nibble
