// Runs a model over one sequence of tokens: prompt in, logits out, one KV cache. The one header of
// the engine that cli/ and core/pipeline need. Sums: a prompt token's results do not depend on
// batch or threads, nor a generated one's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/error.h"
#include "core/base/function_ref.h"
#include "core/base/thread_pool.h"
#include "core/models/model.h"
#include "core/ops/kv_format.h"
#include "core/tensor/rows.h"
#include "core/text/tokenizer.h"

namespace nibble {

class InputWatch;

struct EngineOptions {
  int n_ctx = 4096;   // tokens the cache can hold; memory is taken as it fills
  int n_batch = 512;  // prompt tokens processed together
  KvTypes kv_types = {};
  // Weights as stored, float32 activations, attention and cache; kv_types are ignored.
  bool exact = false;
  InputWatch* watch = nullptr;  // told the inputs of products (core/ops/input_watch.h)
};

class Engine {
 public:
  // Sizes the arena and the cache. Fails (kOutOfMemory) with the forecast when they do not fit,
  // (kUsage) when kv_types differ and the model keeps its values inside of its keys, (kContextFull)
  // when n_ctx is more than the positions that a model has learned one by one.
  // model and pool must outlive the engine.
  static Result<Engine> create(const Model& model, ThreadPool& pool, const EngineOptions& options);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  // Prompt tokens after those already there, in batches of n_batch. Returns the last one's logits
  // [n_vocab], valid until the next call. progress(done, total) after each batch, and often inside
  // of one; false stops (kInterrupted). Fails with kContextFull when they do not fit, kInvalidInput
  // when logits are not finite or an id is out of range. After a failure the cache holds the tokens
  // that it held before or, where a window has moved on meanwhile, none: n_past() tells.
  using Progress = FunctionRef<bool(int done, int total)>;
  Result<std::span<const float>> prefill(std::span<const TokenId> tokens, Progress progress);
  Result<std::span<const float>> prefill(std::span<const TokenId> tokens);
  // The same, and gives each token's logits, from position `from` of `tokens` on, to sink(index in
  // tokens, logits).
  using LogitsSink = FunctionRef<bool(int index, std::span<const float> logits)>;
  Result<void> prefill_all(std::span<const TokenId> tokens, int from, LogitsSink sink,
                           Progress progress);
  Result<void> prefill_all(std::span<const TokenId> tokens, int from, LogitsSink sink);
  // One generated token: through the row kernels. Returns its logits, valid until the next call.
  // Allocates nothing.
  Result<std::span<const float>> decode(TokenId token);
  // The same for tokens that somebody guesses to be the next ones, at most decode_room(): each
  // weight is read once for all, and logits [tokens, n_vocab] are bit-equal to those of one call
  // after the other. rewind() takes back what was guessed wrong, windows or not.
  Result<ConstRows> decode(std::span<const TokenId> tokens);
  // Tokens that the next decode() may take: the context's room, but for a sequence that would
  // outgrow its trained length on the way.
  int decode_room() const;
  static constexpr int kMostDecoded = 16;

  int n_past() const;  // tokens in the cache
  int n_ctx() const;
  // Forgets all but the first n tokens. Fails (kInvalidInput) where a sliding window has dropped
  // what is needed.
  Result<void> rewind(int n);
  // Forgets all but the beginning that the cache and `tokens` have in common, or everything where a
  // sliding window has dropped what is needed. Returns n_past().
  int keep_prefix(std::span<const TokenId> tokens);
  uint64_t kv_bytes_used() const;      // for n_past tokens
  uint64_t kv_bytes_reserved() const;  // for n_ctx tokens
  uint64_t arena_bytes() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nibble
