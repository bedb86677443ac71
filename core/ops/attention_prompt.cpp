// Attention of prompt tokens: blocks of queries over chunks of keys and values that are expanded to
// f32 once for a block (kernels/prompt_chunk.cpp).
#include <algorithm>
#include <cmath>

#include "core/base/cpu_features.h"
#include "core/ops/attention_phases.h"

namespace nibble {
namespace {

using kernels::kQueryRows;

// Query rows (token, head of the group) of one task: their values stay in L2, and what a chunk
// costs to expand is paid once for all of them.
constexpr int kTaskRows = 128;

int tokens_per_task(int group) { return std::max(1, kTaskRows / group); }
int padded_rows(int group) {
  return (tokens_per_task(group) * group + kQueryRows - 1) / kQueryRows * kQueryRows;
}

// A thread's own memory.
struct Block {
  // memory may be null: then only n_floats means something.
  Block(std::byte* memory, int rows, int d_k, int d_v) {
    const auto take = [&](size_t n) {
      float* at = memory ? reinterpret_cast<float*>(memory) + n_floats : nullptr;
      n_floats += Arena::aligned(n * sizeof(float)) / sizeof(float);
      return at;
    };
    q = take(size_t(rows) * d_k);
    out = take(size_t(rows) * d_v);
    keys = take(size_t{kKvChunk} * d_k);
    values = take(size_t{kKvChunk} * d_v);
    scores = take(size_t{kKvChunk} * kQueryRows);
    value_pairs = reinterpret_cast<uint32_t*>(take(size_t{kKvChunk / 2} * d_v));
    for (float** p : {&max, &sum, &first, &last, &slopes}) *p = take(rows);
  }
  uint32_t* value_pairs;
  float *q, *out, *keys, *values, *scores, *max, *sum, *first, *last, *slopes;
  size_t n_floats = 0;
};

// Whether bf16 dot units serve: the processor has them, and the cache is not f32, which asks for
// exact sums.
const kernels::PromptBf16* find_bf16(const KvLayer& kv) {
  const kernels::PromptBf16* bf16 = kernels::ops_kernels().prompt_bf16;
  const bool rounded = kv.types.keys != KvFormat::kF32 && kv.types.values != KvFormat::kF32;
  return bf16->chunk && cpu_features().avx512_bf16 && rounded ? bf16 : nullptr;
}

}  // namespace

// Rows are most where all query heads share a KV head, or none do.
size_t attention_block_bytes(int n_head, int d_k, int d_v) {
  const int rows = std::max(padded_rows(1), padded_rows(n_head));
  return Block(nullptr, rows, d_k, d_v).n_floats * sizeof(float);
}

// Prompt tokens: a task is a block of tokens with the query heads of one KV head, over all chunks
// that any of them sees.
class PromptAttention {
 public:
  explicit PromptAttention(const AttentionCall& c)
      : scratch_(c.scratch),
        options_(c.options),
        kv_(c.kv),
        position_(c.first_position),
        q_(c.q),
        out_(c.out),
        group_(c.options.n_head / c.kv.n_head_kv),
        bf16_(find_bf16(c.kv)) {}

  int n_tasks() const { return n_blocks() * kv_.n_head_kv; }
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
      b.max[r] = kLowestScore;
      b.sum[r] = 0;
    }
    std::fill_n(b.out, static_cast<size_t>(rows) * kv_.d_v, 0.0f);
  }

  // Keys or values [begin, end) of a chunk as f32, zeros around them; whether all are finite.
  static bool expand(KvFormat format, const std::byte* rows, int width, int begin, int end,
                     float* out) {
    std::fill(out, out + begin * width, 0.0f);
    std::fill(out + end * width, out + kKvChunk * width, 0.0f);
    return kernels::ops_kernels().kv_rows[static_cast<int>(format)].read(
        rows, kv_row_bytes(format, width), end - begin, width, out + begin * width);
  }

  // The chunk at position p against all rows; keys outside [first, last] are not even read.
  void attend(const Block& b, int head_kv, int p, int first, int last, int rows) const {
    const int begin = std::max(first - p, 0), end = std::min(last - p + 1, kKvChunk);
    const int slot = p % kv_.capacity + begin;
    bool finite = expand(kv_.types.keys, kv_.key(head_kv, slot), kv_.d_k, begin, end, b.keys);
    if (!kv_.values_in_keys)
      finite = expand(kv_.types.values, kv_.value(head_kv, slot), kv_.d_v, begin, end, b.values);
    const float* values = kv_.values_in_keys ? b.keys : b.values;
    const int value_stride = kv_.values_in_keys ? kv_.d_k : kv_.d_v;
    if (bf16_) bf16_->pair_values(values, value_stride, kv_.d_v, b.value_pairs);
    const int n_keys = (end + 7) / 8 * 8;
    const bool masked = n_keys != end || p < static_cast<int>(b.first[rows - 1]) ||
                        p + end - 1 > static_cast<int>(b.last[0]);
    const auto chunk = bf16_ ? bf16_->chunk : kernels::ops_kernels().prompt_chunk;
    chunk({.q = b.q,
           .out = b.out,
           .max = b.max,
           .sum = b.sum,
           .first = b.first,
           .last = b.last,
           .slopes = options_.alibi_slopes ? b.slopes : nullptr,
           .keys = b.keys,
           .values = values,
           .value_pairs = b.value_pairs,
           .scores = b.scores,
           .softcap = options_.softcap,
           .position = p,
           .n_keys = n_keys,
           .n_rows = rows,
           .d_k = kv_.d_k,
           .d_v = kv_.d_v,
           .value_stride = value_stride,
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
  const kernels::PromptBf16* const bf16_;
};

void attend_prompt(ThreadPool& pool, const AttentionCall& call) {
  const PromptAttention run(call);
  pool.run(run.n_tasks(), run);
}

}  // namespace nibble
