// Factors of blocks that stand in them as half-precision numbers.
#pragma once

#include "quant/isa/isa.h"

namespace nibble::quant::NIBBLE_ISA {

// L: a layout (quant/layouts) with d, and dmin or m where it has minima.
template <class L>
struct HalfFactors : L {
  using typename L::Block;

  static float scale(const Block& b) {
    if constexpr (requires { L::kUnit; })
      return to_float(b.d) * L::kUnit;
    else
      return to_float(b.d);
  }
  static float dmin(const Block& b) { return to_float(b.dmin); }
  static float minimum(const Block& b) { return to_float(b.m); }

  template <class S>
  static typename S::Factors factors_of_four(
      const typename S::template Four<sizeof(Block)>& blocks) {
    if constexpr (L::kHasMin)
      return blocks.template halves<offsetof(Block, d), offsetof(Block, m)>();
    else
      return blocks.template halves<offsetof(Block, d)>();
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
