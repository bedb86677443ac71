// How packed activations lie in memory: the same for every instruction set. A code is an int8 in
// -127..127 and a value is d * code. Sums are kept negated because every use subtracts: an unsigned
// weight code u stands for u - 2^s, so a product starts at (-sum) << s, and a minimum is subtracted
// too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/format.h"

namespace nibble::quant::NIBBLE_ISA {

// kQ8x32, one row: 128 values (4 blocks of 32) in the order in which 4-bit blocks unpack. What lies
// behind the end of the row is zero.
struct alignas(64) Row32 {
  int8_t lo[4][16];     // [block][value 0..15]
  int8_t hi[4][16];     // [block][value 16..31]
  int32_t neg_sum[16];  // [4 * block + i]: over lo[block][4 i ..] and hi[block][4 i ..], four
                        // values each
  float d[4];           // the blocks' scales
  float d_neg_sum[4];   // d * the block's neg_sum
};

// kQ8x32, a tile of tokens: 32 values of each.
struct alignas(64) Tile32 {
  int8_t q[kTileTokens][32];
  float d[kTileTokens];
  int32_t neg_sum[kTileTokens];
  float d_neg_sum[kTileTokens];  // d * neg_sum
};

// kQ8x256, one row: 256 values. Eight runs of 32 in the order 0 2 | 1 3 | 4 6 | 5 7 in which K-type
// blocks unpack.
struct alignas(64) Row256 {
  int8_t q[4][64];
  int16_t neg_sum16[16];  // over 16 values, natural order
  int16_t neg_sum32[8];   // over 32 values
  float d;
};
inline constexpr int kRunAt[8] = {0,   64,  32,  96,
                                  128, 192, 160, 224};  // where run i stands in Row256::q

// kQ8x256, a tile of tokens: 256 values of each.
struct alignas(64) Tile256 {
  int8_t q[8][kTileTokens][32];
  int32_t neg_sum16[16][kTileTokens];
  int32_t neg_sum32[8][kTileTokens];
  int32_t neg_sum256[kTileTokens];       // over the block, for panels with scales in the codes
  int16_t neg_pairs16[kTileTokens][16];  // neg_sum16 by token
  int16_t neg_pairs32[kTileTokens][8];   // neg_sum32 by token
  float d[kTileTokens];
};

// kF32: rows are padded with zeros to a multiple of this many columns.
inline constexpr int kF32Step = 256;
// A tile's tokens stand in groups as large as can be, the last two of about the same size: how many
// come next of those left.
inline constexpr int kTokensTogether = 6;
constexpr int tokens_together(int left) {
  const int half = (left + 1) / 2;
  return left <= kTokensTogether ? left : half < kTokensTogether - 1 ? half : kTokensTogether;
}

// kFloat16, a row: f32, followed by zeros up to a multiple of kRowStep values.
inline constexpr int kRowStep = 64;

// kFloat16, a tile of tokens: 32 values of each as bf16; zeros behind the last column.
struct alignas(64) TileBf16 {
  uint16_t q[kTileTokens][32];
};

}  // namespace nibble::quant::NIBBLE_ISA
