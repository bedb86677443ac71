// 256 values of one token, packed for row products or in a tile.
#pragma once

#include "quant/kernels/layout.h"

namespace nibble::quant::NIBBLE_ISA {

struct RowValues {
  const Row256& block;
  const int8_t* run(int i) const { return &block.q[0][0] + kRunAt[i]; }  // 32 of them
  float d() const { return block.d; }
  const int16_t (&neg_sum16() const)[16] { return block.neg_sum16; }
  const int16_t (&neg_sum32() const)[8] { return block.neg_sum32; }
};

struct TileValues {
  const Tile256& block;
  int token;
  const int8_t* run(int i) const { return block.q[i][token]; }
  float d() const { return block.d[token]; }
  const int16_t (&neg_sum16() const)[16] { return block.neg_pairs16[token]; }
  const int16_t (&neg_sum32() const)[8] { return block.neg_pairs32[token]; }
};

}  // namespace nibble::quant::NIBBLE_ISA
