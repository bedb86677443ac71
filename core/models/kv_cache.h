// The keys and values of one sequence, for all layers, in one reserve of address space: memory is
// taken as it fills. Layers with a window (or chunks) hold that and one batch, the others the whole
// context.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/ops/attention.h"

namespace nibble {

// What one layer keeps of each position, and how far back it looks.
struct KvShape {
  int n_head_kv = 0;
  int d_k = 0;
  int d_v = 0;
  bool values_in_keys = false;  // values are the first part of the keys (MLA)
  int window = 0;               // positions a query may see, itself included; 0: all
  bool chunked = false;         // the window is a chunk: a query sees its own chunk only
};

class KvCache {
 public:
  // n_batch: tokens stored before the first of them attends. Fails (kOutOfMemory) when the reserve
  // cannot be had.
  static Result<KvCache> create(std::span<const KvShape> layers, KvTypes types, int n_ctx,
                                int n_batch);
  KvCache() = default;
  KvCache(KvCache&& other) noexcept;
  KvCache& operator=(KvCache&& other) noexcept;
  ~KvCache();

  const KvLayer& layer(int i) const { return views_[i]; }
  int n_ctx() const { return n_ctx_; }
  // Bytes of the positions [0, n) that are still held.
  uint64_t bytes_used(int n) const;
  uint64_t bytes_reserved() const { return bytes_used(n_ctx_); }
  // Positions up to n were stored; whether the cache can go back so that the next one is n.
  void stored(int n) { n_stored_ = n > n_stored_ ? n : n_stored_; }
  bool can_rewind(int n) const;
  // Nothing of the cache is needed any more.
  void forget() { n_stored_ = 0; }

  static uint64_t bytes_needed(std::span<const KvShape> layers, KvTypes types, int n_ctx,
                               int n_batch);

 private:
  std::vector<KvShape> shapes_;
  std::vector<KvLayer> views_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
  int n_ctx_ = 0;
  int n_stored_ = 0;  // highest position stored since forget(), plus one
};

}  // namespace nibble
