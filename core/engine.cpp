// See engine.h.
#include "core/engine.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/base/free_memory.h"
#include "core/models/architecture.h"
#include "core/models/decoder.h"
#include "core/models/kv_cache.h"
#include "core/models/weights.h"
#include "core/tensor/arena.h"

namespace nibble {
namespace {

Result<void> check_kv_types(std::span<const KvShape> shapes, KvTypes types) {
  if (types.keys != types.values && std::ranges::any_of(shapes, &KvShape::values_in_keys))
    return fail(ErrorKind::kUsage,
                "KV types {} and {}: this model keeps its values inside of its keys, pass one type",
                kv_format_name(types.keys), kv_format_name(types.values));
  return {};
}

}  // namespace

struct Engine::Impl {
  const Model& model;
  EngineOptions options;
  Arena arena;
  KvCache cache;
  std::unique_ptr<Decoder> decoder;
  std::vector<TokenId>
      history;  // the tokens in the cache; capacity n_ctx, so that adding one allocates nothing

  int n_past() const { return static_cast<int>(history.size()); }
  void clear() { history.clear(), cache.forget(); }
  Result<void> check(std::span<const TokenId> tokens) const;
  Result<void> batches(std::span<const TokenId> tokens, int from, Progress progress,
                       LogitsSink* sink);
  Result<void> emit(int batch_first, int first, int n, LogitsSink& sink);
  Result<void> run(Phase phase, std::span<const TokenId> tokens, int position, int from,
                   FunctionRef<bool()> go_on);
  Result<void> choose_rope(int n_total, Progress progress);
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::create(const Model& model, ThreadPool& pool, const EngineOptions& given) {
  EngineOptions options = given;
  if (options.n_ctx < 1 || options.n_batch < 1)
    return fail(ErrorKind::kUsage, "context {} and batch {} must be at least 1", options.n_ctx,
                options.n_batch);
  if (const Matrix& learned = model.weights().position_embd.w;
      learned.n_rows > 0 && options.n_ctx > learned.n_rows)
    return fail(ErrorKind::kContextFull,
                "a context of {} tokens: the model has learned {} positions and no more",
                options.n_ctx, learned.n_rows);
  options.n_batch = std::min(options.n_batch, options.n_ctx);
  const int n_rows = std::max(options.n_batch, std::min(kMostDecoded, options.n_ctx));
  const DecoderOptions decoder{options.n_ctx, n_rows, options.exact, options.watch};
  const KvTypes types = options.exact ? KvTypes{KvFormat::kF32, KvFormat::kF32} : options.kv_types;
  const auto shapes = kv_shapes(model.architecture(), model.hparams());
  NIBBLE_CHECK(check_kv_types(shapes, types));
  const uint64_t arena_bytes = Decoder::bytes_needed(model, decoder, pool.size());
  const uint64_t kv_bytes = KvCache::bytes_needed(shapes, types, options.n_ctx, n_rows);
  if (const uint64_t free = free_memory(); arena_bytes + kv_bytes > free)
    return fail(ErrorKind::kOutOfMemory,
                "a context of {} tokens needs {} MiB for its KV cache and {} MiB for activations; "
                "{} MiB are free",
                options.n_ctx, kv_bytes >> 20, arena_bytes >> 20, free >> 20);
  auto impl = std::make_unique<Impl>(Impl{model, options, {}, {}, nullptr, {}});
  NIBBLE_TRY(impl->cache, KvCache::create(shapes, types, options.n_ctx, n_rows));
  NIBBLE_TRY(impl->arena, Arena::create(arena_bytes));
  impl->decoder = std::make_unique<Decoder>(model, decoder, pool, impl->arena);
  impl->history.reserve(options.n_ctx);
  return Engine(std::move(impl));
}

Result<void> Engine::Impl::check(std::span<const TokenId> tokens) const {
  const size_t room = options.n_ctx - history.size();
  if (tokens.size() > room)
    return fail(ErrorKind::kContextFull, "{} tokens do not fit: {} of the context's {} are taken",
                tokens.size(), history.size(), options.n_ctx);
  for (const TokenId id : tokens)
    if (id < 0 || id >= model.n_vocab())
      return invalid_input("token id {} is outside the vocabulary of {}", id, model.n_vocab());
  return {};
}

Result<void> Engine::Impl::run(Phase phase, std::span<const TokenId> tokens, int position, int from,
                               FunctionRef<bool()> go_on) {
  cache.stored(position + static_cast<int>(tokens.size()));  // the first layers, if interrupted
  if (!decoder->run(cache, phase, tokens, position, from, go_on))
    return fail(ErrorKind::kInterrupted, "interrupted");
  return {};
}

// A sequence that outgrows the trained length rotates by other factors, for all its positions: what
// is in the cache is computed again.
Result<void> Engine::Impl::choose_rope(int n_total, Progress progress) {
  if (!decoder->set_rope_length(n_total) || history.empty()) return {};
  cache.forget();
  const int n = n_past();
  for (int at = 0; at < n; at += options.n_batch) {
    const int count = std::min(options.n_batch, n - at);
    const auto go_on = [&] { return progress(0, n_total - n); };
    const auto done = run(Phase::kPrompt, std::span(history).subspan(at, count), at, count, go_on);
    if (!done) clear();
    NIBBLE_CHECK(done);
  }
  return {};
}

// Logits of the last batch's tokens [first, first + n), in slices.
Result<void> Engine::Impl::emit(int batch_first, int first, int n, LogitsSink& sink) {
  for (int done = 0; done < n;) {
    const int count = std::min(decoder->logits_rows(), n - done);
    NIBBLE_TRY(const auto rows, decoder->logits(first + done, count));
    for (int i = 0; i < count; ++i) {
      const std::span row(rows.row(i), model.n_vocab());
      if (!sink(batch_first + first + done + i, row))
        return fail(ErrorKind::kInterrupted, "interrupted");
    }
    done += count;
  }
  return {};
}

// Runs tokens in batches; from: the first whose logits are wanted.
Result<void> Engine::Impl::batches(std::span<const TokenId> tokens, int from, Progress progress,
                                   LogitsSink* sink) {
  NIBBLE_CHECK(check(tokens));
  const int total = static_cast<int>(tokens.size()), before = n_past();
  NIBBLE_CHECK(choose_rope(before + total, progress));
  const auto one_batch = [&](int at, int count) -> Result<void> {
    const int wanted = std::clamp(from - at, 0, count);
    const auto go_on = [&] { return progress(at, total); };
    NIBBLE_CHECK(run(Phase::kPrompt, tokens.subspan(at, count), before + at, wanted, go_on));
    if (sink) NIBBLE_CHECK(emit(at, wanted, count - wanted, *sink));
    if (!progress(at + count, total)) return fail(ErrorKind::kInterrupted, "interrupted");
    return {};
  };
  for (int at = 0; at < total; at += options.n_batch) {
    const auto done = one_batch(at, std::min(options.n_batch, total - at));
    if (done) continue;
    if (!cache.can_rewind(before)) clear();
    return done;
  }
  history.insert(history.end(), tokens.begin(), tokens.end());
  return {};
}

Result<std::span<const float>> Engine::prefill(std::span<const TokenId> tokens, Progress progress) {
  if (tokens.empty()) return invalid_input("there are no tokens to begin with");
  const int n = static_cast<int>(tokens.size());
  const float* logits = nullptr;
  const auto keep = [&](int, std::span<const float> row) {
    logits = row.data();
    return true;
  };
  LogitsSink sink = keep;
  NIBBLE_CHECK(impl_->batches(tokens, n - 1, progress, &sink));
  return std::span(logits, impl_->model.n_vocab());
}

Result<std::span<const float>> Engine::prefill(std::span<const TokenId> tokens) {
  return prefill(tokens, [](int, int) { return true; });
}

Result<void> Engine::prefill_all(std::span<const TokenId> tokens, int from, LogitsSink sink,
                                 Progress progress) {
  return impl_->batches(tokens, from, progress, &sink);
}

Result<void> Engine::prefill_all(std::span<const TokenId> tokens, int from, LogitsSink sink) {
  return prefill_all(tokens, from, sink, [](int, int) { return true; });
}

Result<std::span<const float>> Engine::decode(TokenId token) {
  NIBBLE_TRY(const auto rows, decode(std::span(&token, 1)));
  return std::span(rows.row(0), impl_->model.n_vocab());
}

Result<ConstRows> Engine::decode(std::span<const TokenId> tokens) {
  Impl& e = *impl_;
  const int n = static_cast<int>(tokens.size());
  NIBBLE_ASSERT(n > 0 && (n == 1 || n <= decode_room()));
  NIBBLE_CHECK(e.check(tokens));
  NIBBLE_CHECK(e.choose_rope(e.n_past() + n, [](int, int) { return true; }));
  NIBBLE_CHECK(e.run(Phase::kGeneration, tokens, e.n_past(), 0, [] { return true; }));
  NIBBLE_TRY(const auto rows, e.decoder->logits(0, n));
  e.history.insert(e.history.end(), tokens.begin(), tokens.end());
  return rows;
}

int Engine::decode_room() const {
  int end = impl_->options.n_ctx;
  const int trained = impl_->model.hparams().rope.n_ctx_orig;
  if (impl_->decoder->has_long_rope() && n_past() < trained) end = std::min(end, trained);
  if (impl_->decoder->rope_follows_length() && n_past() >= trained) end = n_past() + 1;
  return std::min(kMostDecoded, end - n_past());
}

int Engine::n_past() const { return impl_->n_past(); }
int Engine::n_ctx() const { return impl_->options.n_ctx; }

Result<void> Engine::rewind(int n) {
  if (n < 0 || n > n_past()) return invalid_input("cannot go back to {} of {} tokens", n, n_past());
  if (!impl_->cache.can_rewind(n))
    return invalid_input("cannot go back to {} of {} tokens: the sliding window has moved on", n,
                         n_past());
  impl_->history.resize(n);
  if (n == 0) impl_->cache.forget();
  return {};
}

int Engine::keep_prefix(std::span<const TokenId> tokens) {
  const auto& history = impl_->history;
  const auto common = std::ranges::mismatch(history, tokens).in1 - history.begin();
  if (!rewind(static_cast<int>(common))) impl_->clear();
  return n_past();
}

uint64_t Engine::kv_bytes_used() const { return impl_->cache.bytes_used(n_past()); }
uint64_t Engine::kv_bytes_reserved() const { return impl_->cache.bytes_reserved(); }
uint64_t Engine::arena_bytes() const { return impl_->arena.size(); }

}  // namespace nibble
