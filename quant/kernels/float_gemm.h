// Prompt products of float weights with f32 activations, straight from the file's bytes: columns in
// lanes, so that nothing is expanded or transposed. W: what a format's file says about its numbers:
//   kBytes     of one of them
//   load(p)    kLanes of them, as f32
#pragma once

#include <cstddef>
#include <cstring>

#include "quant/format.h"
#include "quant/isa/lanes.h"
#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

namespace lanes = kernels::NIBBLE_ISA;
using Lanes = lanes::F;

// Sums of a register tile, at most.
inline constexpr int kSums = lanes::kRegisters / 4 * 3;

// Vectors of columns of a turn: 24 KiB of a register tile's tokens. Where few tokens let memory set
// the pace, turns are shorter: bytes of a register tile's rows, of which as many are asked for
// meanwhile, and a core keeps some 30 requests.
inline constexpr int kDepth = 1024 / lanes::kLanes, kPacedBytes = 1024;

// Bytes that the next call will want, asked for in step with this one's work.
class Ahead {
 public:
  Ahead(const TileProduct& p)
      : begin_(p.ahead),
        at_(p.ahead),
        bytes_per_product_((p.ahead_bytes << kShift) /
                           (static_cast<size_t>(p.n_rows) * p.n_cols * p.n_tokens)) {}
  void advance(int n_products) {
    done_ += n_products;
    const std::byte* end = begin_ + (done_ * bytes_per_product_ >> kShift);
    for (; at_ < end; at_ += 64) __builtin_prefetch(at_, 0, 2);
  }

 private:
  static constexpr int kShift = 20;  // of the share of a byte
  const std::byte *begin_, *at_;
  size_t bytes_per_product_;
  size_t done_ = 0;
};

// One of kUses operands loaded once: g++ would load it again for each.
template <int kUses>
[[gnu::always_inline]] inline Lanes loaded(Lanes v) {
  return kUses > 1 ? lanes::kept(v) : v;
}

// Some vectors of columns of a register tile.
struct FloatTile {
  const std::byte* w;  // rows row_bytes apart
  const float* x;      // [n, tokens] vectors
  Lanes* sums;         // [rows, sum_step]
  size_t row_bytes, sum_step;
  int n;
};

// sums[r, t] += w[r] * x[t], lane by lane. The fewer of rows and tokens stay in registers.
template <class W, int kRows, int kTokens>
void add_tile(const FloatTile& tile, Ahead& ahead) {
  constexpr int kHeld = kRows < kTokens ? kRows : kTokens,
                kPassing = kRows < kTokens ? kTokens : kRows;
  const std::byte* w = tile.w;
  const float* x = tile.x;
  const size_t row_bytes = tile.row_bytes;
  const auto vector = [&](bool of_row, int i) __attribute__((always_inline)) {
    return of_row ? W::load(w + i * row_bytes) : lanes::load(x + i * lanes::kLanes);
  };
  Lanes sums[kRows][kTokens];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) sums[r][t] = tile.sums[r * tile.sum_step + t];
  ahead.advance(tile.n * kRows * kTokens * lanes::kLanes);
#pragma GCC unroll 2
  for (int i = 0; i < tile.n; ++i, w += W::kBytes * lanes::kLanes, x += kTokens * lanes::kLanes) {
    Lanes held[kHeld];
#pragma GCC unroll 8
    for (int h = 0; h < kHeld; ++h) held[h] = loaded<kPassing>(vector(kRows < kTokens, h));
#pragma GCC unroll 8
    for (int j = 0; j < kPassing; ++j) {
      const Lanes passing = loaded<kHeld>(vector(kRows >= kTokens, j));
#pragma GCC unroll 8
      for (int h = 0; h < kHeld; ++h) {
        Lanes& sum = kRows < kTokens ? sums[h][j] : sums[j][h];
        sum = lanes::fma(held[h], passing, sum);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) tile.sums[r * tile.sum_step + t] = sums[r][t];
}

// add_tile for n tokens, at most kMost, or null.
using AddTile = void (*)(const FloatTile&, Ahead&);
template <class W, int kRows, int kMost = kTokensTogether>
AddTile add_tile_for(int n) {
  if constexpr (kMost == 0)
    return nullptr;
  else if (n < kMost)
    return add_tile_for<W, kRows, kMost - 1>(n);
  else if constexpr (kRows * kMost > kSums)
    return nullptr;
  else
    return add_tile<W, kRows, kMost>;
}

// A tile's tokens in groups, each a register tile with at most kMostRows rows, or with half of
// them, a quarter and so on.
struct TokenGroups {
  static constexpr int kMostRows = 8, kSizes = 4;
  struct Group {
    int token, n_tokens;
    AddTile add[kSizes];  // for so many rows; null where registers do not hold the sums
  };
  Group groups[(kTileTokens + kTokensTogether - 1) / kTokensTogether];
  int n = 0;

  template <class W>
  static TokenGroups of(int n_tokens) {
    TokenGroups all;
    for (int token = 0, n; token < n_tokens; token += n) {
      n = tokens_together(n_tokens - token);
      all.groups[all.n++] = {token,
                             n,
                             {add_tile_for<W, 8>(n), add_tile_for<W, 4>(n), add_tile_for<W, 2>(n),
                              add_tile_for<W, 1>(n)}};
    }
    return all;
  }

  // Vectors of columns of a turn, of rows of vectors of so many bytes.
  int depth(int vector_bytes) const {
    if (n > 1) return kDepth;
    int size = 0;
    while (!groups[0].add[size]) ++size;
    return kPacedBytes / ((kMostRows >> size) * vector_bytes);
  }

  // tile.n vectors from `first` on of n_rows rows; x: [tokens, tile_vectors] by groups.
  void add(const FloatTile& tile, int n_rows, int first, int tile_vectors, Ahead& ahead) const {
    for (int g = 0; g < n; ++g) {
      const Group& group = groups[g];
      FloatTile part = tile;
      part.x += (group.token * tile_vectors + first * group.n_tokens) * lanes::kLanes;
      part.sums += group.token;
      for (int size = 0, left = n_rows; size < kSizes; ++size) {
        const int rows = kMostRows >> size;
        for (; group.add[size] && left >= rows; left -= rows) {
          group.add[size](part, ahead);
          part.w += rows * tile.row_bytes;
          part.sums += rows * tile.sum_step;
        }
      }
    }
  }
};

// out[t, r] = the sum of sums[r, t]'s lanes.
inline void write_sums(const Lanes* sums, const TileProduct& p) {
  for (int r = 0; r < p.n_rows; r += lanes::kLanes) {
    const int n = p.n_rows - r < lanes::kLanes ? p.n_rows - r : lanes::kLanes;
    for (int t = 0; t < p.n_tokens; ++t) {
      // Sums of rows behind the last are there, and ignored.
      const Lanes totals = lanes::sums_of(sums + r * p.n_tokens + t, size_t(p.n_tokens));
      std::memcpy(p.out + t * p.out_stride + r, &totals, sizeof(float) * size_t(n));
    }
  }
}

// The sums of all rows wait in memory while the rows in turn take the same columns of some tokens
// from L1.
template <class W>
void float_gemm(const TileProduct& p) {
  constexpr int kLanes = lanes::kLanes, kVectorBytes = W::kBytes * kLanes;
  static_assert(kGemmRows % kLanes == 0);
  Lanes sums[kGemmRows * kTileTokens];
  std::memset(sums, 0,
              sizeof(Lanes) * size_t((p.n_rows + kLanes - 1) / kLanes * kLanes * p.n_tokens));
  const TokenGroups groups = TokenGroups::of<W>(p.n_tokens);
  const int depth = groups.depth(kVectorBytes), n_whole = p.n_cols / kLanes,
            n_rest = p.n_cols % kLanes, n_vectors = n_whole + (n_rest > 0);
  Ahead ahead(p);
  FloatTile tile{p.w, reinterpret_cast<const float*>(p.tile), sums, p.row_bytes, size_t(p.n_tokens),
                 0};
  for (int i = 0; i < n_whole; i += tile.n) {
    tile.n = n_whole - i < depth ? n_whole - i : depth;
    groups.add(tile, p.n_rows, i, n_vectors, ahead);
    tile.w += tile.n * kVectorBytes;
  }
  if (n_rest) {  // filled up with zeros, as x is: what lies behind a row need not be finite
    alignas(64) std::byte last[kGemmRows][kVectorBytes] = {};
    for (int r = 0; r < p.n_rows; ++r)
      std::memcpy(last[r], tile.w + r * p.row_bytes, size_t(n_rest * W::kBytes));
    tile.w = last[0];
    tile.row_bytes = kVectorBytes;
    tile.n = 1;
    groups.add(tile, p.n_rows, n_whole, n_vectors, ahead);
  }
  write_sums(sums, p);
}

// Without FMA Eigen serves (core/ops/dense.h).
template <class W>
inline constexpr auto kFloatGemm = lanes::kHasFma ? float_gemm<W> : nullptr;

}  // namespace nibble::quant::NIBBLE_ISA
