// See kv_cache.h.
#include "core/models/kv_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace nibble {
namespace {

constexpr size_t kPage = 4096;

int rounded_to_chunk(int64_t n) {
  return static_cast<int>((n + kKvChunk - 1) / kKvChunk * kKvChunk);
}

int capacity_of(const KvShape& s, int n_ctx, int n_batch) {
  const int64_t held = s.window ? std::min<int64_t>(n_ctx, int64_t{s.window} + n_batch) : n_ctx;
  return rounded_to_chunk(held);
}

size_t key_bytes(const KvShape& s, KvTypes types, int64_t n) {
  return static_cast<size_t>(n) * s.n_head_kv * kv_row_bytes(types.keys, s.d_k);
}
size_t value_bytes(const KvShape& s, KvTypes types, int64_t n) {
  if (s.values_in_keys) return 0;
  return static_cast<size_t>(n) * s.n_head_kv * kv_row_bytes(types.values, s.d_v);
}
size_t to_pages(size_t n) { return (n + kPage - 1) / kPage * kPage; }

}  // namespace

uint64_t KvCache::bytes_needed(std::span<const KvShape> layers, KvTypes types, int n_ctx,
                               int n_batch) {
  uint64_t n = 0;
  for (const KvShape& s : layers) {
    const int capacity = capacity_of(s, n_ctx, n_batch);
    n += to_pages(key_bytes(s, types, capacity)) + to_pages(value_bytes(s, types, capacity));
  }
  return n;
}

Result<KvCache> KvCache::create(std::span<const KvShape> layers, KvTypes types, int n_ctx,
                                int n_batch) {
  KvCache cache;
  cache.n_ctx_ = n_ctx;
  cache.shapes_.assign(layers.begin(), layers.end());
  cache.size_ = std::max<uint64_t>(kPage, bytes_needed(layers, types, n_ctx, n_batch));
  void* map = mmap(nullptr, cache.size_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED)
    return fail(ErrorKind::kOutOfMemory, "the KV cache for {} tokens needs {} MiB: {}", n_ctx,
                cache.size_ >> 20, std::strerror(errno));
  madvise(map, cache.size_,
          MADV_NOHUGEPAGE);  // else a short prompt would take 2 MiB for each layer
  cache.data_ = static_cast<std::byte*>(map);
  std::byte* at = cache.data_;
  for (const KvShape& s : layers) {
    KvLayer view;
    view.types = types;
    view.n_head_kv = s.n_head_kv;
    view.d_k = s.d_k;
    view.d_v = s.d_v;
    view.values_in_keys = s.values_in_keys;
    view.capacity = capacity_of(s, n_ctx, n_batch);
    view.keys = at;
    at += to_pages(key_bytes(s, types, view.capacity));
    view.values = at;
    at += to_pages(value_bytes(s, types, view.capacity));
    cache.views_.push_back(view);
  }
  return cache;
}

KvCache::KvCache(KvCache&& other) noexcept { *this = std::move(other); }

KvCache& KvCache::operator=(KvCache&& other) noexcept {
  std::swap(shapes_, other.shapes_);
  std::swap(views_, other.views_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(n_ctx_, other.n_ctx_);
  std::swap(n_stored_, other.n_stored_);
  return *this;
}

KvCache::~KvCache() {
  if (data_) munmap(data_, size_);
}

uint64_t KvCache::bytes_used(int n) const {
  uint64_t bytes = 0;
  for (size_t i = 0; i < shapes_.size(); ++i) {
    const int held = std::min(n, views_[i].capacity);
    bytes += key_bytes(shapes_[i], views_[i].types, held) +
             value_bytes(shapes_[i], views_[i].types, held);
  }
  return bytes;
}

bool KvCache::can_rewind(int n) const {
  for (size_t i = 0; i < shapes_.size(); ++i) {
    const KvShape& s = shapes_[i];
    if (!s.window) continue;
    const int first_needed = s.chunked ? n / s.window * s.window : std::max(0, n - s.window + 1);
    if (n > first_needed && n_stored_ - views_[i].capacity > first_needed) return false;
  }
  return true;
}

}  // namespace nibble
